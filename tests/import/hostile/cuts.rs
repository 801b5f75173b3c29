//! A source cut anywhere: the import ends with an error, and nothing of the package in hand is stored.

use super::rows;
use crate::archives::{Layer, tar, zip};
use crate::trees::{noise, release};
use crate::{Ask, Place, with_causes};

/// Cuts `whole` at each of `cuts`; every cut must be noticed, and leave at most `packages` of its packages for the next
/// import to find.
fn no_cut_goes_unnoticed(what: &str, whole: &[u8], cuts: impl Iterator<Item = usize>) {
    let place = Place::new();
    place.import(release("8.5.0").tar().bytes(), &Ask::default());
    let before = rows(&place);
    let offered = place.offered();
    let contents = place.count("content");
    for cut in cuts {
        let error = place
            .stage(&whole[..cut], &Ask::branch("cut"))
            .expect_err(what);
        let error = with_causes(&error);
        let expected = ["truncated", "empty", "damaged", "not an archive"];
        assert!(
            expected
                .iter()
                .any(|word| error.starts_with(&format!("cannot read the source: {word}"))),
            "{what} cut at {cut}: {error}"
        );
        assert_eq!(place.offered(), offered, "{what} cut at {cut}");
        // What is kept is whole: as many packages as were read to their ends, each with all of its contents.
        let packages = place.count("artifact") - 2;
        assert!(
            (0..=1).contains(&packages),
            "{what} cut at {cut}: {packages}"
        );
        assert_eq!(
            place.count("content") - contents,
            4 * packages,
            "{what} cut at {cut}"
        );
        assert_eq!(
            place.count("stream"),
            place.count("content"),
            "{what} cut at {cut}"
        );
    }
    let after = rows(&place);
    assert!(
        before
            .iter()
            .all(|(row, count)| after.get(row) >= Some(count))
    );
    let plan = place.import(whole, &Ask::branch("cut"));
    assert_eq!(plan.added, ["p 1.0.0", "q 1.0.0"], "{what}");
}

fn two_packages() -> crate::archives::Tar {
    tar()
        .package("p/1.0.0")
        .file("p/1.0.0/noise", noise(1500))
        .package("q/1.0.0")
        .file("q/1.0.0/noise", noise(1600))
}

#[test]
fn a_tar_cut_anywhere_stores_nothing_of_the_package_in_hand() {
    let whole = two_packages().bytes();
    let end_mark = whole.len() - 1024;
    let blocks = (0..=end_mark).step_by(512);
    no_cut_goes_unnoticed(
        "tar",
        &whole,
        blocks
            .flat_map(|at| [at, at + 1, at + 300])
            .filter(|at| *at < end_mark + 512),
    );
}

#[test]
fn a_compressed_tar_cut_anywhere_stores_nothing_of_the_package_in_hand() {
    for layer in [Layer::Gzip, Layer::Zstd, Layer::Xz] {
        let whole = layer.of(&two_packages().bytes());
        no_cut_goes_unnoticed(&format!("{layer:?}"), &whole, (0..whole.len()).step_by(37));
        no_cut_goes_unnoticed(&format!("{layer:?}"), &whole, whole.len() - 20..whole.len());
    }
}

#[test]
fn a_zip_cut_anywhere_stores_nothing() {
    let whole = zip()
        .package("p/1.0.0")
        .stored("p/1.0.0/noise", noise(1500))
        .package("q/1.0.0")
        .deflated("q/1.0.0/noise", noise(1600))
        .bytes();
    no_cut_goes_unnoticed("zip", &whole, (0..whole.len()).step_by(41));
}
