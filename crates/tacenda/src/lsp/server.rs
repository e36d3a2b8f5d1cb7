//! The server: what an editor asks and tells, and what it is answered.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use lsp_types::{
    CancelParams, CodeActionParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, HoverParams, InitializeParams,
    NumberOrString, PublishDiagnosticsParams,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tacenda_scan::{Confidence, Models, Report, Selection, Setup, workspace};

use super::answers::{self, FIX_ALL};
use super::document::{Document, Encoding, path_of};
use super::message::{self, ErrorCode, Id, Message, Notification, Request};
use super::wire::Event;
use super::worker::{Edited, Farewell, Open, Worker};
use crate::config::PolicyArgs;
use crate::failure::Failure;
use crate::scan::models;

/// The id of the one request that the server makes.
const REGISTRATION: &str = "tacenda-watch";
/// `MessageType.Error` of the protocol.
const MESSAGE_ERROR: u8 = 1;

/// What a question is told that nobody can answer any more.
const GONE: &str = "the scanner ended: start the server again";

/// What the command line says.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) select: Vec<String>,
    pub(super) ignore: Vec<String>,
    pub(super) least: Confidence,
    pub(super) delay: Duration,
    pub(super) threads: usize,
    pub(super) policy: PolicyArgs,
}

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was said.
    Fresh,
    /// The editor asks and tells.
    Serving,
    /// It said that it will end.
    Ending,
}

pub(super) struct Server<W> {
    settings: Settings,
    events: Sender<Event>,
    output: W,
    phase: Phase,
    encoding: Encoding,
    watches: bool,
    documents: HashMap<String, Document>,
    /// The URIs of the open files, by path.
    by_path: BTreeMap<PathBuf, String>,
    open: Open,
    edits: Option<Sender<Edited>>,
    roots: Vec<PathBuf>,
    /// The edition of the newest text.
    edition: u64,
    /// The number of the scanner that is at work: each that is started has a new one.
    scanner: u64,
    /// The models that it works with.
    models: Arc<Models>,
    /// Whether the scanner is gone.
    gone: bool,
    /// Questions about texts that are still being looked at.
    waiting: Vec<(Request, String)>,
}

impl<W: Write> Server<W> {
    pub(super) fn new(settings: Settings, events: Sender<Event>, output: W) -> Self {
        Self {
            settings,
            events,
            output,
            phase: Phase::Fresh,
            encoding: Encoding::default(),
            watches: false,
            documents: HashMap::new(),
            by_path: BTreeMap::new(),
            open: Open::default(),
            edits: None,
            roots: Vec::new(),
            edition: 0,
            scanner: 0,
            models: Arc::default(),
            gone: false,
            waiting: Vec::new(),
        }
    }

    /// Serves until the editor ends it.
    pub(super) fn serve(&mut self, events: &Receiver<Event>) -> Result<ExitCode, Failure> {
        for event in events {
            match event {
                Event::Message(Message::Request(request)) => self.request(request)?,
                Event::Message(Message::Notification(told)) if told.method == "exit" => {
                    let in_order = self.phase == Phase::Ending;
                    return Ok(ExitCode::from(u8::from(!in_order)));
                }
                Event::Message(Message::Notification(told)) => self.notification(told)?,
                Event::Gone(scanner) if scanner == self.scanner => self.gone()?,
                // The only answers are to our request for file events; of scanners that are gone,
                // another one may have taken the place.
                Event::Message(Message::Response { .. }) | Event::Gone(_) => {}
                Event::Malformed(why) => {
                    let error = Err((ErrorCode::ParseError, why.to_owned()));
                    self.write(&message::answer(None, error))?;
                }
                Event::Told { path, edition, report } => self.told(&path, edition, *report)?,
                Event::Closed(None) => {
                    let in_order = self.phase == Phase::Ending;
                    return Ok(ExitCode::from(u8::from(!in_order)));
                }
                Event::Closed(Some(why)) => {
                    return Err(Failure::new(format!("the editor cannot be understood: {why}"))
                        .hint("`tacenda lsp` is started by an editor: see docs/guides/editor.md"));
                }
            }
        }
        Ok(ExitCode::FAILURE)
    }

    fn request(&mut self, request: Request) -> Result<(), Failure> {
        let (id, method) = (request.id.clone(), request.method.clone());
        match (self.phase, method.as_str()) {
            (Phase::Fresh, "initialize") => match read::<InitializeParams>(request.params) {
                Ok(params) => {
                    self.phase = Phase::Serving;
                    let result = self.initialize(&params);
                    self.answer(&id, Ok(result))
                }
                Err(error) => self.answer(&id, Err(error)),
            },
            (Phase::Fresh, _) => {
                self.refuse(&id, ErrorCode::ServerNotInitialized, "say `initialize` first")
            }
            (Phase::Ending, _) => {
                self.refuse(&id, ErrorCode::InvalidRequest, "the server is ending")
            }
            (_, "initialize") => self.refuse(&id, ErrorCode::InvalidRequest, "it was said before"),
            (_, "shutdown") => {
                self.phase = Phase::Ending;
                self.edits = None;
                self.answer(&id, Ok(Value::Null))
            }
            (_, "textDocument/hover") => match read::<HoverParams>(request.params.clone()) {
                Ok(params) => {
                    let uri = params.text_document_position_params.text_document.uri;
                    self.ask(request, uri.as_str())
                }
                Err(error) => self.answer(&id, Err(error)),
            },
            (_, "textDocument/codeAction") => {
                match read::<CodeActionParams>(request.params.clone()) {
                    Ok(params) => self.ask(request, params.text_document.uri.as_str()),
                    Err(error) => self.answer(&id, Err(error)),
                }
            }
            _ => self.refuse(&id, ErrorCode::MethodNotFound, "this server knows no such method"),
        }
    }

    fn initialize(&mut self, params: &InitializeParams) -> Value {
        let offered = params
            .capabilities
            .general
            .as_ref()
            .and_then(|general| general.position_encodings.as_deref());
        self.encoding = Encoding::negotiated(offered);
        self.watches = params
            .capabilities
            .workspace
            .as_ref()
            .and_then(|workspace| workspace.did_change_watched_files)
            .and_then(|watched| watched.dynamic_registration)
            .unwrap_or_default();
        let folders = params.workspace_folders.as_deref().unwrap_or_default();
        self.roots = folders.iter().map(|folder| path_of(&folder.uri)).collect();
        #[expect(deprecated, reason = "what editors say that know no folders")]
        if self.roots.is_empty()
            && let Some(root) = &params.root_uri
        {
            self.roots.push(path_of(root));
        }
        json!({
            "capabilities": {
                "positionEncoding": self.encoding.name(),
                "textDocumentSync": { "openClose": true, "change": 2 },
                "hoverProvider": true,
                "codeActionProvider": { "codeActionKinds": ["quickfix", FIX_ALL] },
            },
            "serverInfo": { "name": "tacenda", "version": env!("CARGO_PKG_VERSION") },
        })
    }

    /// Answers a question about a text, now or when it has been looked at.
    fn ask(&mut self, request: Request, uri: &str) -> Result<(), Failure> {
        match self.documents.get(uri) {
            Some(document) if document.report.is_some() => {
                let answer = about(document, &request, self.encoding);
                self.answer(&request.id, answer)
            }
            Some(_) if self.gone => self.refuse(&request.id, ErrorCode::InternalError, GONE),
            Some(_) => {
                self.waiting.push((request, uri.to_owned()));
                Ok(())
            }
            None => self.refuse(&request.id, ErrorCode::InvalidParams, "this text is not open"),
        }
    }

    fn notification(&mut self, told: Notification) -> Result<(), Failure> {
        if self.phase != Phase::Serving {
            return Ok(());
        }
        // What cannot be read tells nothing; there is nobody to answer.
        match told.method.as_str() {
            "initialized" => self.start(),
            "textDocument/didOpen" => match read::<DidOpenTextDocumentParams>(told.params) {
                Ok(params) => self.opened(params),
                Err(_) => Ok(()),
            },
            "textDocument/didChange" => match read::<DidChangeTextDocumentParams>(told.params) {
                Ok(params) => self.changed(params),
                Err(_) => Ok(()),
            },
            "textDocument/didClose" => match read::<DidCloseTextDocumentParams>(told.params) {
                Ok(params) => self.closed(params.text_document.uri.as_str()),
                Err(_) => Ok(()),
            },
            "workspace/didChangeWatchedFiles" => {
                let params = read::<DidChangeWatchedFilesParams>(told.params);
                let mut models = false;
                for change in params.map(|params| params.changes).unwrap_or_default() {
                    let path = path_of(&change.uri);
                    if path.extension().is_some_and(|extension| extension == "toml") {
                        models = true;
                    } else if !self.by_path.contains_key(&path) {
                        self.edited(path, None);
                    }
                }
                if models { self.models_changed() } else { Ok(()) }
            }
            "$/cancelRequest" => match read::<CancelParams>(told.params) {
                Ok(params) => self.cancelled(params.id),
                Err(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Begins to scan the workspace.
    fn start(&mut self) -> Result<(), Failure> {
        if self.edits.is_some() {
            return Ok(());
        }
        self.models = Arc::new(self.models()?.unwrap_or_default());
        self.scan();
        if self.watches {
            let registration = json!({
                "id": REGISTRATION,
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": [{ "globPattern": "**/*.{py,pyi,pyw,toml}" }] },
            });
            let params = json!({ "registrations": [registration] });
            let mut request = message::told("client/registerCapability", &params);
            request["id"] = REGISTRATION.into();
            self.write(&request)?;
        }
        Ok(())
    }

    /// The policy, or a file of models, may be another: scans the workspace anew if the models are.
    fn models_changed(&mut self) -> Result<(), Failure> {
        if self.edits.is_none() {
            return Ok(());
        }
        let Some(models) = self.models()? else { return Ok(()) };
        if models == *self.models {
            return Ok(());
        }
        self.models = Arc::new(models);
        // What the scanner before still tells is about editions that are no more.
        let mut edition = self.edition;
        for document in self.documents.values_mut() {
            edition += 1;
            document.edition = edition;
        }
        self.edition = edition;
        self.scan();
        Ok(())
    }

    /// Scans the workspace, in a thread of its own.
    fn scan(&mut self) {
        self.scanner += 1;
        self.gone = false;
        let (edits, received) = channel();
        let mut worker = Worker {
            edits: received,
            events: self.events.clone(),
            open: self.open.clone(),
            delay: self.settings.delay,
            editions: HashMap::new(),
            waiting: None,
        };
        let selection = Selection { paths: self.roots.clone(), exclude: Vec::new() };
        let threads = self.settings.threads;
        let models = self.models.clone();
        let farewell = Farewell { events: self.events.clone(), scanner: self.scanner };
        std::thread::spawn(move || {
            let _farewell = farewell;
            let sources = selection.select().map(|(sources, _)| sources).unwrap_or_default();
            workspace::serve(sources, Setup { models: &models, threads }, &mut worker);
        });
        for document in self.documents.values() {
            let open = Some((document.text.clone(), document.edition));
            // The worker was made just now.
            let _ = edits.send(Edited { path: document.path.clone(), open });
        }
        self.edits = Some(edits);
    }

    /// The models of the policy that is nearest to the workspace. If they are wrong, the user is told,
    /// and those from before hold, or Tacenda's alone: a server that ends is started again, and says
    /// it again.
    fn models(&mut self) -> Result<Option<Models>, Failure> {
        let policy = &self.settings.policy;
        let layers =
            self.roots.first().map_or_else(|| policy.loader(), |root| policy.loader_in(root));
        let faults = match models(&layers) {
            Ok(models) => return Ok(Some(models)),
            Err(faults) => faults,
        };
        for fault in &faults {
            let place = fault.place().map(|place| format!("{place}: ")).unwrap_or_default();
            let hint = fault.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            let message = format!("tacenda: {place}{fault}{hint}");
            let params = json!({ "type": MESSAGE_ERROR, "message": message });
            self.write(&message::told("window/showMessage", &params))?;
        }
        Ok(None)
    }

    fn edited(&self, path: PathBuf, open: Option<(String, u64)>) {
        if let Some(edits) = &self.edits {
            // A worker that is gone looks at nothing more.
            let _ = edits.send(Edited { path, open });
        }
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) -> Result<(), Failure> {
        let item = params.text_document;
        let edition = self.next_edition();
        let path = path_of(&item.uri);
        let uri = item.uri.as_str().to_owned();
        let document = Document {
            uri: item.uri,
            path: path.clone(),
            text: item.text.clone(),
            version: item.version,
            edition,
            report: None,
        };
        self.outdated(&uri)?;
        self.documents.insert(uri.clone(), document);
        self.by_path.insert(path.clone(), uri);
        self.lock(|open| open.insert(path.clone()));
        self.edited(path, Some((item.text, edition)));
        Ok(())
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) -> Result<(), Failure> {
        let uri = params.text_document.uri.as_str();
        let edition = self.next_edition();
        let Some(document) = self.documents.get_mut(uri) else { return Ok(()) };
        let version = params.text_document.version;
        document.change(version, edition, params.content_changes, self.encoding);
        let (path, open) = (document.path.clone(), (document.text.clone(), edition));
        self.outdated(uri)?;
        self.edited(path, Some(open));
        Ok(())
    }

    fn closed(&mut self, uri: &str) -> Result<(), Failure> {
        let Some(mut document) = self.documents.remove(uri) else { return Ok(()) };
        self.outdated(uri)?;
        self.by_path.remove(&document.path);
        self.lock(|open| open.remove(&document.path));
        document.report = None;
        self.publish(&document)?;
        self.edited(document.path, None);
        Ok(())
    }

    fn lock(&self, then: impl FnOnce(&mut std::collections::BTreeSet<PathBuf>) -> bool) {
        then(&mut self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// Questions about a text that is another now have no answer.
    fn outdated(&mut self, uri: &str) -> Result<(), Failure> {
        for (request, _) in self.waiting.extract_if(.., |(_, own)| own == uri).collect::<Vec<_>>() {
            self.refuse(&request.id, ErrorCode::ContentModified, "the text changed meanwhile")?;
        }
        Ok(())
    }

    fn cancelled(&mut self, id: NumberOrString) -> Result<(), Failure> {
        let id = match id {
            NumberOrString::Number(number) => Id::Number(number.into()),
            NumberOrString::String(text) => Id::Text(text),
        };
        let of_it = |(request, _): &mut (Request, String)| request.id == id;
        for (request, _) in self.waiting.extract_if(.., of_it).collect::<Vec<_>>() {
            self.refuse(&request.id, ErrorCode::RequestCancelled, "cancelled")?;
        }
        Ok(())
    }

    fn next_edition(&mut self) -> u64 {
        self.edition += 1;
        self.edition
    }

    /// The scanner is gone, and with it the answers that questions wait for.
    fn gone(&mut self) -> Result<(), Failure> {
        self.gone = true;
        for (request, _) in std::mem::take(&mut self.waiting) {
            self.refuse(&request.id, ErrorCode::InternalError, GONE)?;
        }
        Ok(())
    }

    /// A text was looked at.
    fn told(&mut self, path: &Path, edition: u64, mut report: Report) -> Result<(), Failure> {
        let Some(uri) = self.by_path.get(path).cloned() else { return Ok(()) };
        let settings = &self.settings;
        report.findings.retain(|finding| {
            crate::scan::is_selected(&settings.select, &settings.ignore, finding.rule.code)
                && finding.confidence >= settings.least
        });
        let Some(document) = self.documents.get_mut(&uri) else { return Ok(()) };
        if document.edition != edition {
            return Ok(());
        }
        document.report = Some(report);
        let ready: Vec<_> = self.waiting.extract_if(.., |(_, own)| *own == uri).collect();
        let document = &self.documents[&uri];
        let answers: Vec<_> = ready
            .into_iter()
            .map(|(request, _)| {
                let answer = about(document, &request, self.encoding);
                (request.id, answer)
            })
            .collect();
        let diagnostics = self.diagnostics(document);
        self.write(&diagnostics)?;
        for (id, answer) in answers {
            self.answer(&id, answer)?;
        }
        Ok(())
    }

    fn publish(&mut self, document: &Document) -> Result<(), Failure> {
        let diagnostics = self.diagnostics(document);
        self.write(&diagnostics)
    }

    fn diagnostics(&self, document: &Document) -> Value {
        let params = PublishDiagnosticsParams {
            uri: document.uri.clone(),
            diagnostics: answers::diagnostics(document, self.encoding),
            version: Some(document.version),
        };
        message::told("textDocument/publishDiagnostics", &params)
    }

    fn refuse(&mut self, id: &Id, code: ErrorCode, why: &str) -> Result<(), Failure> {
        self.answer(id, Err((code, why.to_owned())))
    }

    fn answer(
        &mut self,
        id: &Id,
        answer: Result<Value, (ErrorCode, String)>,
    ) -> Result<(), Failure> {
        self.write(&message::answer(Some(id), answer))
    }

    fn write(&mut self, message: &Value) -> Result<(), Failure> {
        let body = message.to_string();
        write!(self.output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.output.flush()?;
        Ok(())
    }
}

/// The answer to a question about a text.
fn about(
    document: &Document,
    request: &Request,
    encoding: Encoding,
) -> Result<Value, (ErrorCode, String)> {
    let params = request.params.clone();
    if request.method == "textDocument/hover" {
        let place = read::<HoverParams>(params)?.text_document_position_params.position;
        return Ok(json!(answers::hover(document, place, encoding)));
    }
    let params = read::<CodeActionParams>(params)?;
    Ok(json!(answers::actions(document, &params, encoding)))
}

/// Parameters of a message. What they hold is not repeated: it may be anything.
fn read<T: DeserializeOwned>(params: Value) -> Result<T, (ErrorCode, String)> {
    serde_json::from_value(params).map_err(|_| {
        (ErrorCode::InvalidParams, "the parameters are not those of the method".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacenda_scan::{Source, scan};

    const LEAK: &str = "import logging\ndef f(password):\n    logging.info('%s', password)\n";

    fn said(message: Value) -> Event {
        Event::Message(serde_json::from_value(message).unwrap())
    }

    fn initialize() -> Event {
        said(json!({ "id": 1, "method": "initialize", "params": { "capabilities": {} } }))
    }

    fn open(text: &str) -> Event {
        let document =
            json!({ "uri": "file:///a.py", "languageId": "python", "version": 1, "text": text });
        said(json!({ "method": "textDocument/didOpen", "params": { "textDocument": document } }))
    }

    fn close() -> Event {
        let params = json!({ "textDocument": { "uri": "file:///a.py" } });
        said(json!({ "method": "textDocument/didClose", "params": params }))
    }

    fn actions(id: u32) -> Event {
        let range =
            json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
        let params = json!({
            "textDocument": { "uri": "file:///a.py" },
            "range": range,
            "context": { "diagnostics": [] },
        });
        said(json!({ "id": id, "method": "textDocument/codeAction", "params": params }))
    }

    fn leaks(edition: u64) -> Event {
        let report = Box::new(scan(&[Source::text("/a.py", LEAK.to_owned())], 1));
        assert_eq!(report.findings.len(), 1);
        Event::Told { path: PathBuf::from("/a.py"), edition, report }
    }

    /// What the server says when it hears this, without a scanner of its own.
    fn heard(heard: Vec<Event>) -> String {
        let settings = Settings {
            select: Vec::new(),
            ignore: Vec::new(),
            least: Confidence::Low,
            delay: Duration::ZERO,
            threads: 1,
            policy: PolicyArgs::default(),
        };
        let (events, received) = channel();
        for event in heard {
            events.send(event).unwrap();
        }
        events.send(Event::Closed(None)).unwrap();
        let mut output = Vec::new();
        Server::new(settings, events, &mut output).serve(&received).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn what_was_found_before_a_text_was_opened_again_is_not_about_it() {
        let other = "é🦊".repeat(40);
        // Told late, of the first text; the version of both is 1.
        let events = vec![initialize(), open(LEAK), close(), open(&other), leaks(1), actions(2)];
        let output = heard(events);
        assert!(!output.contains("TAC101") && !output.contains(r#""id":2"#), "{output}");
        let events = vec![initialize(), open(&other), close(), open(LEAK), leaks(2), actions(2)];
        let output = heard(events);
        assert!(output.contains("TAC101") && output.contains(r#""id":2"#), "{output}");
        // Whatever is told, of whatever text: a place in the middle of a character is no end.
        let output = heard(vec![initialize(), open(&other), leaks(1), actions(2)]);
        assert!(output.contains(r#""id":2"#) && !output.contains("accept here"), "{output}");
    }

    #[test]
    fn questions_are_refused_when_the_scanner_is_gone() {
        let output = heard(vec![initialize(), open("x"), actions(2), Event::Gone(0), actions(3)]);
        assert_eq!(output.matches(r#""code":-32603"#).count(), 2, "{output}");
        assert!(output.contains(r#""id":2"#) && output.contains(r#""id":3"#), "{output}");
    }

    #[test]
    fn a_scanner_that_panics_says_farewell() {
        let (events, received) = channel();
        let farewell = Farewell { events, scanner: 7 };
        let thread = std::thread::spawn(move || {
            let _farewell = farewell;
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(thread.join().is_err());
        assert!(matches!(received.recv(), Ok(Event::Gone(7))));
    }
}
