//! Which branch of a distribution a package version comes from: the first that has it wins.

use std::collections::HashSet;

use crate::package::PackageId;

/// One package version as a distribution offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered<T> {
    /// The package version.
    pub package: PackageId,
    /// What the winning branch holds for it.
    pub held: T,
}

/// Returns what a distribution offers: the package versions of all `branches`, each from the first that has it, sorted by
/// name and version; beside it what is shadowed, in the order of the branches.
pub fn offers<T>(
    branches: impl IntoIterator<Item = Vec<(PackageId, T)>>,
) -> (Vec<Offered<T>>, Vec<Offered<T>>) {
    let mut seen = HashSet::new();
    let mut offered = Vec::new();
    let mut shadowed = Vec::new();
    for (package, held) in branches.into_iter().flatten() {
        if seen.insert(package.clone()) {
            offered.push(Offered { package, held });
        } else {
            shadowed.push(Offered { package, held });
        }
    }
    offered.sort_by(|a, b| a.package.cmp(&b.package));
    (offered, shadowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_branch_wins_and_the_rest_is_shadowed() {
        let held = |version, branch| (PackageId::parse("nginx", version).unwrap(), branch);
        let (offered, shadowed) = offers([
            vec![held("1.2.0", "production"), held("1.0.0", "production")],
            vec![held("1.10.0", "staging"), held("1.2.0", "staging")],
        ]);

        let shown = |offers: Vec<Offered<&'static str>>| -> Vec<String> {
            offers
                .into_iter()
                .map(|offer| format!("{} from {}", offer.package, offer.held))
                .collect()
        };
        assert_eq!(
            shown(offered),
            [
                "nginx 1.0.0 from production",
                "nginx 1.2.0 from production",
                "nginx 1.10.0 from staging"
            ],
        );
        assert_eq!(shown(shadowed), ["nginx 1.2.0 from staging"]);
    }
}
