//! The accounts of the tools that bring Git to a cluster, by one word.

/// A word that stands for exact user names, written `preset:<name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The word.
    pub name: &'static str,
    /// The user names, in the namespaces of the projects' own manifests.
    pub users: &'static [&'static str],
}

/// Every preset. Their sources are in `docs/changes.md`.
const ALL: [Preset; 5] = [
    Preset {
        name: "argocd",
        users: &["system:serviceaccount:argocd:argocd-application-controller"],
    },
    Preset {
        name: "flux",
        users: &[
            "system:serviceaccount:flux-system:kustomize-controller",
            "system:serviceaccount:flux-system:helm-controller",
        ],
    },
    Preset {
        name: "fleet",
        users: &[
            "system:serviceaccount:cattle-fleet-system:fleet-agent",
            "system:serviceaccount:cattle-fleet-local-system:fleet-agent",
        ],
    },
    Preset {
        name: "helm-controller",
        users: &["system:serviceaccount:flux-system:helm-controller"],
    },
    // Each of them may do what `controllers` says, whatever a rule names: here stands nobody, so
    // that a rule which names this preset admits nobody else, and none of them to more.
    Preset {
        name: "kube-controllers",
        users: &[],
    },
];

impl Preset {
    /// The names of all presets.
    pub(crate) fn names() -> Vec<&'static str> {
        ALL.iter().map(|preset| preset.name).collect()
    }

    /// The preset of this name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|preset| preset.name == name)
    }
}
