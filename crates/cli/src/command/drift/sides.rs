//! What is read of Git and of the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use rollout_guard::change::{ChangeRule, Guard};
use rollout_guard::json::{self, Location, Step};
use rollout_guard::request::Request;
use rollout_guard::selector::Selector;
use rollout_guard::settings::Settings;

use super::super::fix::wanted;
use super::LeftOut;
use crate::build::plan::{Built, Unit};
use crate::drift::compare::{GitWorkload, InGit, Row, Source};
use crate::drift::workload::{self, Live, Workload};
use crate::edit::NewValue;
use crate::failure::{error, printable};
use crate::input::{self, Input, Text};
use crate::judge::Judge;
use crate::manifest::{self, Document, Lines, Position};
use crate::object::{Object, items_without_kind, objects};
use crate::wrap::{columns, wrap};

/// What was read, and what could not be.
#[derive(Default)]
pub(super) struct Sides {
    pub(super) git: Vec<GitWorkload>,
    pub(super) live: Vec<Workload>,
    pub(super) pods: Vec<(Workload, k8s_openapi::api::core::v1::Pod)>,
    pub(super) problems: Vec<String>,
    /// Files of Git that say nothing until they are rendered.
    pub(super) templates: Vec<String>,
    /// Something is not built, which is said already.
    pub(super) without_tool: bool,
    /// The kinds of which the cluster has objects.
    pub(super) kinds: BTreeSet<String>,
}

/// What is built, by unit.
pub(super) type Builds = BTreeMap<Unit, Vec<Built>>;

impl Sides {
    /// Whether there is something that is not compared, for a reason that is said.
    pub(super) const fn is_incomplete(&self) -> bool {
        !self.problems.is_empty() || self.without_tool
    }

    /// Tells on stderr what was not compared, and why.
    pub(super) fn tell(&self, rows: &[Row], left_out: &[LeftOut]) {
        let templates = self
            .templates
            .iter()
            .map(|template| format!("{template}: a template, not rendered: it is not compared"));
        let left_out_lines = left_out.iter().map(LeftOut::to_string);
        let problems = self.problems.iter().cloned();
        for line in templates.chain(left_out_lines).chain(problems) {
            // When stderr is closed there is nobody left to tell.
            let line = wrap(&printable(&line), columns(), 2);
            let _ = writeln!(anstream::stderr(), "{line}");
        }
        if rows.is_empty() && !self.is_incomplete() {
            error(if left_out.is_empty() {
                "nothing was compared: there is no workload in Git"
            } else {
                "nothing was compared, for the reasons above"
            });
        }
    }

    /// Adds the workloads of a file in Git; hands back what was read.
    pub(super) fn add_git(&mut self, reader: &Reader<'_>, input: &Input, file: usize) -> Text {
        let name = input::name(input.path());
        let read = match input.read() {
            Ok(read) => read,
            Err(unread) => {
                if unread.may_be_manifest {
                    self.problems.push(format!("{name}: {}", unread.problem));
                }
                return Text::default();
            }
        };
        if read.text.contains("{{") && input::chart_of(input.path()).is_some() {
            self.templates.push(name);
            return read;
        }
        self.add_git_text(reader, &name, &read.text, file);
        read
    }

    fn add_git_text(&mut self, reader: &Reader<'_>, name: &str, text: &str, file: usize) {
        let lines = Lines::new(text);
        let mut position = 0;
        manifest::documents(text, &mut |part| match part {
            Ok(document) => {
                for item in items_without_kind(&document.tree) {
                    let at = lines.position(document.in_file(&item.span()).start);
                    self.problems.push(format!(
                        "{name}:{}:{}: an item of the list has no `apiVersion` and `kind`",
                        at.line, at.column
                    ));
                }
                for object in objects(&document.tree).into_iter().flatten() {
                    match reader.read(&object) {
                        Err(problem) => self.problems.push(format!("{name}: {problem}")),
                        Ok(None) => {}
                        Ok(Some(Live::Workload(workload) | Live::Pod(workload, _))) => {
                            let at = InGit {
                                source: Source::File(file),
                                name: name.to_owned(),
                                document: position,
                                way: object.way.clone(),
                                at: place(&lines, &document, &object, &Location::default()),
                            };
                            let positions = paths(&workload)
                                .map(|path| {
                                    let at = place(&lines, &document, &object, &path);
                                    (format!("{path:#}"), (name.to_owned(), at))
                                })
                                .collect();
                            self.git.push(GitWorkload {
                                workload: *workload,
                                place: at,
                                positions,
                            });
                        }
                    }
                }
                position += 1;
            }
            // What cannot be read and holds `{{` is for a template engine.
            Err(_) if text.contains("{{") => {
                if self.templates.last().is_none_or(|last| last != name) {
                    self.templates.push(name.to_owned());
                }
            }
            Err(_) if !manifest::may_be_manifest(text) => {}
            Err(error) => {
                let at = lines.position(error.at);
                self.problems.push(format!(
                    "{name}:{}:{}: {}",
                    at.line, at.column, error.problem
                ));
            }
        });
    }

    /// Adds the objects of the cluster.
    pub(super) fn add_cluster(&mut self, reader: &Reader<'_>, text: &str) {
        let mut is_answer = false;
        manifest::documents(text, &mut |part| match part {
            Ok(document) => {
                let found = objects(&document.tree);
                // A list may be empty.
                is_answer |= found.is_some();
                for object in found.into_iter().flatten() {
                    self.kinds.insert(object.kind.to_string());
                    match reader.read(&object) {
                        Err(problem) => self.problems.push(format!("cluster: {problem}")),
                        Ok(None) => {}
                        Ok(Some(Live::Workload(workload))) => self.live.push(*workload),
                        Ok(Some(Live::Pod(workload, pod))) => {
                            self.live.push((*workload).clone());
                            self.pods.push((*workload, *pod));
                        }
                    }
                }
            }
            Err(error) => {
                is_answer = true;
                let at = Lines::new(text).position(error.at);
                self.problems.push(format!(
                    "cluster: {}:{}: {}",
                    at.line, at.column, error.problem
                ));
            }
        });
        if !is_answer {
            let problem =
                "cluster: no Kubernetes object in it, expected what `kubectl get -o json` prints";
            self.problems.push(problem.to_owned());
        }
    }
}

/// Reads objects as the settings see them.
pub(super) struct Reader<'p> {
    pub(super) judge: Judge<'p>,
    /// Of each policy.
    pub(super) guards: Vec<Vec<AnnotationGuard<'p>>>,
}

/// A rule that guards annotations, and the globs over them.
pub(super) type AnnotationGuard<'s> = (Selector<'s>, Vec<&'s str>);

impl Reader<'_> {
    /// Reads an object, its images as they are pulled.
    pub(super) fn read(&self, object: &Object<'_>) -> Result<Option<Live>, String> {
        let wanted = wanted(&self.judge, object, 0);
        let pulled: BTreeMap<_, _> = wanted
            .changes
            .into_iter()
            .filter_map(|change| match change.new {
                NewValue::Text(text) => Some((format!("{:#}", change.path), text)),
                NewValue::Removed => None,
            })
            .collect();
        let namespace = self.judge.namespace;
        let mut live = workload::read(object, namespace, &|path| {
            let path = object.way.below(path.detached());
            pulled.get(&format!("{path:#}")).cloned()
        })
        .map_err(|error| format!("{object}: {error}"))?;
        if let Some(Live::Workload(workload) | Live::Pod(workload, _)) = &mut live {
            workload.guarded = self.guarded(object);
        }
        Ok(live)
    }

    /// The globs over the annotations of an object that rules about it guard.
    fn guarded(&self, object: &Object<'_>) -> Vec<String> {
        let judge = &self.judge;
        let mut text = String::new();
        object.write_request(judge.namespace, &judge.identity, &mut text);
        let json = json::Document::of(&text);
        let Ok(request) = Request::of(&json) else {
            return Vec::new();
        };
        let Some(read) = &request.object else {
            return Vec::new();
        };
        let of_policies = judge.policies.iter().zip(&self.guards);
        of_policies
            .filter(|((source, _), _)| source.covers(object, judge.namespace))
            .flat_map(|(_, guards)| guards)
            .filter(|(selector, _)| selector.matches(&request, read))
            .flat_map(|(_, globs)| globs.iter().map(|glob| (*glob).to_owned()))
            .collect()
    }
}

/// The rules that guard annotations, whoever changes them and how.
pub(super) fn annotation_guards<'s>(settings: &Settings<'s>) -> Vec<AnnotationGuard<'s>> {
    let of_rule = |rule: &ChangeRule<'s>| {
        let globs: Vec<_> = rule
            .guards
            .iter()
            .filter_map(|guard| match guard {
                Guard::Annotations(glob) => Some(*glob),
                _ => None,
            })
            .collect();
        let selector = Selector {
            operations: None,
            users: None,
            groups: None,
            old_fields: Vec::new(),
            // What takes out some requests only guards the object all the same.
            except: rule.selector.except.clone().filter(|except| {
                except.operations.is_none()
                    && except.users.is_none()
                    && except.groups.is_none()
                    && except.old_fields.is_empty()
            }),
            ..rule.selector.clone()
        };
        (!globs.is_empty()).then_some((selector, globs))
    };
    settings.changes.iter().filter_map(of_rule).collect()
}

/// The paths in a workload that a report may point at.
pub(super) fn paths(workload: &Workload) -> impl Iterator<Item = Location<'static>> {
    let images = workload.containers.values().map(|(_, path)| path.clone());
    let annotations = workload.annotations.keys().map(|(holder, key)| {
        let map = holder.annotations(&workload.key.kind);
        map.below(Location(vec![Step::Key(key.clone().into())]))
    });
    images.chain(annotations)
}

fn place(
    lines: &Lines<'_>,
    document: &Document<'_>,
    object: &Object<'_>,
    path: &Location<'_>,
) -> Position {
    let place = object.value.locate(path);
    lines.position(document.in_file(&place.span).start)
}
