//! `policy-host images`: which images registries do not have.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use oci_client::Reference;
use policy_host::registry::{Presence, RegistryFailure, look_for};

use crate::{document, failure::printable};

/// Ask registries for images, and list those that they do not have.
///
/// The list is what `rollout-guard images --format list` prints: one image a line; what follows `#` is
/// a comment. Registries on loopback are asked by plain HTTP, all others by HTTPS, with the credentials of
/// Docker's config.
#[derive(Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Exit codes: 0 every image is there, 1 some are missing, 2 wrong arguments; if nothing is missing and
some could not be asked for: 3 access refused, 5 no whole answer."
)]
pub(crate) struct Images {
    /// The images to look for, one a line; `-` is standard input
    #[arg(long, value_name = "LIST")]
    missing: PathBuf,

    /// How many images are asked for at the same time
    #[arg(long, value_name = "NUMBER", default_value = "8", value_parser = clap::value_parser!(u8).range(1..=64))]
    at_once: u8,
}

impl Images {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let text = document::text(&self.missing)?;
        let name = document::name(&self.missing);
        let mut images: Vec<Reference> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let image = line.split('#').next().unwrap_or_default().trim();
            if image.is_empty() {
                continue;
            }
            match image.parse() {
                Ok(image) if images.contains(&image) => {}
                Ok(image) => images.push(image),
                Err(error) => bail!("{name}:{}: `{image}`: {error}", number + 1),
            }
        }
        if images.is_empty() {
            bail!("{name}: no image in it");
        }
        // A bar is drawn on a terminal only.
        let bar =
            ProgressBar::with_draw_target(Some(images.len() as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} images") {
            bar.set_style(style);
        }
        let mut answers: Vec<Option<Presence>> = images.iter().map(|_| None).collect();
        look_for(
            &images,
            usize::from(self.at_once),
            &mut |position, presence| {
                if let Some(answer) = answers.get_mut(position) {
                    *answer = Some(presence);
                }
                bar.inc(1);
            },
        )?;
        bar.finish_and_clear();
        let (mut missing, mut unknown) = (0, Vec::new());
        for (image, answer) in images.iter().zip(answers) {
            match answer {
                Some(Presence::There) => {}
                Some(Presence::Missing) => {
                    missing += 1;
                    writeln!(out, "{}", image.whole())?;
                }
                Some(Presence::Unknown(failure)) => unknown.push(failure),
                None => bail!("{}: not asked for", image.whole()),
            }
        }
        // The first one stands behind the sum of all, where it decides the exit code.
        for failure in unknown.iter().skip(usize::from(missing == 0)) {
            tell(&failure.to_string());
        }
        let there = images.len() - missing - unknown.len();
        let not_known = match unknown.len() {
            0 => String::new(),
            more => format!(", {more} not known"),
        };
        let told = format!(
            "{there} of {} images are there, {missing} missing{not_known}",
            images.len()
        );
        match unknown.into_iter().next() {
            _ if missing > 0 => bail!("{told}"),
            Some(failure) => Err(first(failure, &told)),
            None => {
                tell(&told);
                Ok(())
            }
        }
    }
}

/// The failure that decides the exit code, behind what is said of all.
fn first(failure: RegistryFailure, told: &str) -> anyhow::Error {
    anyhow::Error::new(failure).context(told.to_owned())
}

fn tell(text: &str) {
    // What nobody can read stops nothing.
    let _ = writeln!(io::stderr(), "{}", printable(text));
}
