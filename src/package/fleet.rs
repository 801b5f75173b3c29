//! What Kibana's Fleet needs of a registry, whatever else is installed.
//!
//! Facts: `common/constants/epm.ts` of Fleet, the packages that Kibana's archive brings along, and the plugins that ask for
//! theirs by name.

use semver::Version;

/// The first Kibana that does not ask for experimental packages before it installs one (contract, Kibana's requests).
const FINAL_ONLY: (u64, u64) = (8, 6);

/// Tells whether a Kibana asks for experimental packages too before it installs one.
pub fn takes_experimental(kibana: &Version) -> bool {
    (kibana.major, kibana.minor) < FINAL_ONLY
}

/// A package that Kibana asks for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetNeed {
    /// The package.
    pub package: &'static str,
    /// What does not work without it.
    pub purpose: &'static str,
    /// Whether Kibana upgrades it by itself when it starts, where it is installed.
    pub is_upgraded_at_start: bool,
    /// Whether newer Kibanas bring one along, which may be older than the registry's.
    pub comes_with_kibana: bool,
}

const fn need(
    package: &'static str,
    purpose: &'static str,
    is_upgraded_at_start: bool,
    comes_with_kibana: bool,
) -> FleetNeed {
    FleetNeed {
        package,
        purpose,
        is_upgraded_at_start,
        comes_with_kibana,
    }
}

/// What Kibana asks for by itself.
pub const FLEET_NEEDS: [FleetNeed; 10] = [
    need("fleet_server", "Fleet Servers", true, true),
    need("elastic_agent", "the monitoring of agents", true, true),
    need("system", "agent policies", true, false),
    need("endpoint", "Elastic Defend", true, true),
    need("apm", "APM", true, true),
    need("synthetics", "Synthetics", true, true),
    need(
        "cloud_security_posture",
        "Cloud Security Posture",
        true,
        false,
    ),
    need(
        "cloud_asset_inventory",
        "Cloud Asset Inventory",
        true,
        false,
    ),
    need(
        "security_detection_engine",
        "prebuilt detection rules",
        false,
        true,
    ),
    need("osquery_manager", "Osquery", false, false),
];
