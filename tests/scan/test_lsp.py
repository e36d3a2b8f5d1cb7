"""`tacenda lsp`, driven by the client of pygls as an editor would, and by what is no editor."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

TACENDA = str(Path(sys.executable).parent / "tacenda")
LIBRARY = "import logging\n\n\ndef send(payload):\n    logging.info('%s', payload)\n    return 1\n"
APP = "# é🦊\nimport logging\n\nimport tacenda\n\n\ndef login(password):\n    logging.info('🦊 %s', password)\n"
CAPABILITIES = lsp.ClientCapabilities(
    general=lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind.Utf16]),
    workspace=lsp.WorkspaceClientCapabilities(
        did_change_watched_files=lsp.DidChangeWatchedFilesClientCapabilities(
            dynamic_registration=True
        )
    ),
)


class Editor:
    """An editor with one folder open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = LanguageClient("test", "1")
        self.told: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
        self.registered: list[lsp.RegistrationParams] = []
        self.messages: list[lsp.ShowMessageParams] = []

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def told(params: lsp.PublishDiagnosticsParams) -> None:
            self.told.put_nowait(params)

        @self.client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def registered(params: lsp.RegistrationParams) -> None:
            self.registered.append(params)

        @self.client.feature(lsp.WINDOW_SHOW_MESSAGE)
        def shown(params: lsp.ShowMessageParams) -> None:
            self.messages.append(params)

    async def start(self, *arguments: str, capabilities: lsp.ClientCapabilities) -> Any:
        delay = [] if "--delay" in arguments else ["--delay", "20"]
        await self.client.start_io(TACENDA, "lsp", *delay, *arguments)
        params = lsp.InitializeParams(
            capabilities=capabilities,
            workspace_folders=[lsp.WorkspaceFolder(self.folder.as_uri(), self.folder.name)],
        )
        result = await self.client.initialize_async(params)
        self.client.initialized(lsp.InitializedParams())
        return result

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> None:
        item = lsp.TextDocumentItem(self.uri(name), "python", 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def change(self, name: str, version: int, *changes: tuple[lsp.Range | None, str]) -> None:
        events = [
            lsp.TextDocumentContentChangePartial(range, text)
            if range
            else lsp.TextDocumentContentChangeWholeDocument(text)
            for range, text in changes
        ]
        document = lsp.VersionedTextDocumentIdentifier(version, self.uri(name))
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, events))

    async def diagnostics(self, name: str, version: int) -> list[lsp.Diagnostic]:
        """What is told about this version of a file; what is told about others is left out."""
        while True:
            told = await asyncio.wait_for(self.told.get(), 20)
            if (told.uri, told.version) == (self.uri(name), version):
                return list(told.diagnostics)

    async def actions(self, name: str, *kinds: str) -> list[lsp.CodeAction]:
        params = lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(self.uri(name)),
            span(0, 0, 99, 0),
            lsp.CodeActionContext([], only=list(kinds) or None),
        )
        actions = await self.client.text_document_code_action_async(params)
        return [one for one in actions or [] if isinstance(one, lsp.CodeAction)]

    async def end(self) -> int | None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        server = self.client._server
        assert server is not None
        await asyncio.wait_for(server.wait(), 20)
        return server.returncode


def span(line: int, column: int, end_line: int, end_column: int) -> lsp.Range:
    return lsp.Range(lsp.Position(line, column), lsp.Position(end_line, end_column))


def session(
    folder: Path,
    talk: Callable[[Editor], Awaitable[None]],
    *arguments: str,
    capabilities: lsp.ClientCapabilities = CAPABILITIES,
) -> None:
    async def run() -> None:
        editor = Editor(folder)
        await editor.start(*arguments, capabilities=capabilities)
        await talk(editor)
        assert await editor.end() == 0

    asyncio.run(run())


def edited(text: str, edits: list[lsp.TextEdit]) -> str:
    """Applies edits whose columns count UTF-16 code units."""
    lines = text.splitlines(keepends=True)

    def offset(place: lsp.Position) -> int:
        units = "".join(lines[place.line : place.line + 1]).encode("utf-16-le")
        column = len(units[: 2 * place.character].decode("utf-16-le"))
        return sum(len(line) for line in lines[: place.line]) + column

    for edit in sorted(edits, key=lambda edit: offset(edit.range.start), reverse=True):
        start, end = offset(edit.range.start), offset(edit.range.end)
        text = text[:start] + edit.new_text + text[end:]
    return text


def test_a_leak_is_told_explained_and_fixed(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        editor.open("app.py", APP)
        (found,) = await editor.diagnostics("app.py", 1)
        assert (found.code, found.source) == ("TAC101", "tacenda")
        # The fox counts twice.
        assert found.range == span(7, 26, 7, 34)
        assert found.related_information
        place = lsp.HoverParams(
            lsp.TextDocumentIdentifier(editor.uri("app.py")), lsp.Position(7, 28)
        )
        hover = await editor.client.text_document_hover_async(place)
        assert hover is not None
        assert "## Why is this bad?" in str(hover.contents)
        fix, accept = await editor.actions("app.py", "quickfix")
        assert fix.is_preferred
        assert fix.edit is not None
        assert fix.edit.changes is not None
        after = edited(APP, list(fix.edit.changes[editor.uri("app.py")]))
        assert after == APP.replace(", password)", ", tacenda.summary(password))")
        editor.change("app.py", 2, (None, after))
        assert await editor.diagnostics("app.py", 2) == []
        # Accepted, it is told that the reason lacks.
        assert accept.edit is not None
        assert accept.edit.changes is not None
        noted = edited(APP, list(accept.edit.changes[editor.uri("app.py")]))
        editor.change("app.py", 3, (None, noted))
        codes = [one.code for one in await editor.diagnostics("app.py", 3)]
        assert codes == ["TAC101", None]
        editor.change("app.py", 4, (None, noted.replace("TAC101] ", "TAC101] a test account")))
        assert await editor.diagnostics("app.py", 4) == []
        (action,) = await editor.actions("app.py", "source.fixAll") or [None]
        assert action is None or action.kind == "source.fixAll.tacenda"

    async def tolerant(editor: Editor) -> None:
        await talk(editor)

    session(tmp_path, tolerant)


def test_what_is_typed_is_taken_in_piece_by_piece(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        editor.open("app.py", APP)
        assert len(await editor.diagnostics("app.py", 1)) == 1
        # `password` becomes `user`, in two steps of one change: the first moves the second.
        editor.change("app.py", 2, (span(7, 26, 7, 34), ""), (span(7, 26, 7, 26), "len(password"))
        editor.change("app.py", 3, (span(7, 38, 7, 38), ")"))
        assert await editor.diagnostics("app.py", 3) == []

    session(tmp_path, talk)


def test_files_know_each_other(tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text(LIBRARY)
    caller = "from library import send\n\n\ndef go(password):\n    send(password)\n"
    (tmp_path / "caller.py").write_text(caller)

    async def talk(editor: Editor) -> None:
        editor.open("library.py", LIBRARY)
        (found,) = await editor.diagnostics("library.py", 1)
        assert found.related_information is not None
        assert found.related_information[0].location.uri == editor.uri("caller.py")
        # The caller does it no more: first in the editor, then in a file that is not open.
        editor.open("caller.py", caller)
        await editor.diagnostics("caller.py", 1)
        editor.change("caller.py", 2, (None, caller.replace("send(password)", "send(1)")))
        await editor.diagnostics("caller.py", 2)
        assert await editor.diagnostics("library.py", 1) == []
        editor.client.text_document_did_close(
            lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(editor.uri("caller.py")))
        )
        while not await editor.diagnostics("library.py", 1):
            pass
        (tmp_path / "caller.py").write_text("")
        changes = [lsp.FileEvent(editor.uri("caller.py"), lsp.FileChangeType.Changed)]
        editor.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(changes))
        while await editor.diagnostics("library.py", 1):
            pass
        assert editor.registered

    session(tmp_path, talk)


def test_questions_about_what_is_not_analysed_have_an_answer(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        for name, text in (
            ("nul.py", APP + "\0"),
            (".env", "PASSWORD=a\n"),
            ("logging.yaml", "version: 1\n"),
            ("bad.ipynb", "{"),
            ("large.py", "x = '" + "a" * 9 * 1024 * 1024 + "'\n"),
        ):
            editor.open(name, text)
            assert await asyncio.wait_for(editor.actions(name), 20) == []
            assert await editor.diagnostics(name, 1) == []

    session(tmp_path, talk)


def test_a_comment_that_accepts_stands_where_it_changes_nothing(tmp_path: Path) -> None:
    text = APP.replace("    logging", "    return \\\n        logging").replace("\n", "\r\n")

    async def talk(editor: Editor) -> None:
        editor.open("app.py", text)
        accept = (await editor.actions("app.py", "quickfix"))[-1]
        assert accept.edit is not None
        assert accept.edit.changes is not None
        after = edited(text, list(accept.edit.changes[editor.uri("app.py")]))
        assert after == text.replace("', password)", "', password)  # tacenda: ignore[TAC101] ")

    session(tmp_path, talk)


def test_a_question_waits_for_its_answer_or_is_cancelled(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        editor.open("app.py", APP)
        # It is asked before the text was looked at.
        assert len(await editor.actions("app.py", "quickfix")) == 2
        editor.change("app.py", 2, (None, APP + "\n"))
        question = asyncio.ensure_future(editor.actions("app.py"))
        await asyncio.sleep(0)
        editor.change("app.py", 3, (None, APP))
        with pytest.raises(JsonRpcException) as refused:
            await question
        assert refused.value.code == lsp.LSPErrorCodes.ContentModified
        with pytest.raises(JsonRpcException):
            await editor.actions("none.py")

    session(tmp_path, talk, "--delay", "200")


def test_columns_count_as_was_agreed(tmp_path: Path) -> None:
    kinds = lsp.PositionEncodingKind
    for kind, column in ((kinds.Utf8, 28), (kinds.Utf32, 25)):
        general = lsp.GeneralClientCapabilities(position_encodings=[kind, kinds.Utf16])

        async def talk(editor: Editor, column: int = column) -> None:
            editor.open("app.py", APP)
            (found,) = await editor.diagnostics("app.py", 1)
            assert found.range.start == lsp.Position(7, column)

        session(tmp_path, talk, capabilities=lsp.ClientCapabilities(general=general))


def test_rules_are_chosen_on_the_command_line(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        editor.open("app.py", APP)
        assert await editor.diagnostics("app.py", 1) == []

    session(tmp_path, talk, "--ignore", "TAC1")


MODEL = "[[names]]\nkind = 'credential'\nphrases = ['ledger seed']\n"
OURS = "import logging\n\n\ndef f(ledger_seed):\n    logging.info(ledger_seed)\n"


def test_the_models_of_the_workspace_are_used(tmp_path: Path) -> None:
    (tmp_path / "tacenda.toml").write_text("scan.models = ['ours.toml']\n")
    (tmp_path / "ours.toml").write_text(MODEL)

    async def talk(editor: Editor) -> None:
        editor.open("ours.py", OURS)
        (found,) = await editor.diagnostics("ours.py", 1)
        assert found.code == "TAC101"
        assert not editor.messages

    session(tmp_path, talk)


def test_wrong_models_are_told_and_those_of_tacenda_hold(tmp_path: Path) -> None:
    (tmp_path / "tacenda.toml").write_text("scan.models = ['ours.toml']\n")
    (tmp_path / "ours.toml").write_text(MODEL.replace("phrases", "phrase"))

    async def talk(editor: Editor) -> None:
        editor.open("ours.py", OURS)
        assert await editor.diagnostics("ours.py", 1) == []
        editor.open("app.py", APP)
        assert len(await editor.diagnostics("app.py", 1)) == 1
        (message,) = editor.messages
        assert message.type == lsp.MessageType.Error
        assert message.message.endswith(
            "ours.toml:3:1: unknown key `phrase` (did you mean `phrases`?)"
        )

    session(tmp_path, talk)


def test_models_that_change_are_read_again(tmp_path: Path) -> None:
    (tmp_path / "tacenda.toml").write_text("scan.models = ['ours.toml']\n")
    (tmp_path / "ours.toml").write_text(MODEL.replace("seed", "root"))

    async def talk(editor: Editor) -> None:
        def saved(text: str) -> None:
            (tmp_path / "ours.toml").write_text(text)
            changes = [lsp.FileEvent(editor.uri("ours.toml"), lsp.FileChangeType.Changed)]
            editor.client.workspace_did_change_watched_files(
                lsp.DidChangeWatchedFilesParams(changes)
            )

        editor.open("ours.py", OURS)
        assert await editor.diagnostics("ours.py", 1) == []
        saved(MODEL)
        assert len(await editor.diagnostics("ours.py", 1)) == 1
        # What is half written changes nothing.
        saved(MODEL.replace("phrases", "phrase"))
        editor.change("ours.py", 2, (None, OURS + "\n"))
        assert len(await editor.diagnostics("ours.py", 2)) == 1
        assert len(editor.messages) == 1
        saved("")
        assert await editor.diagnostics("ours.py", 2) == []
        (watcher,) = editor.registered[0].registrations[0].register_options["watchers"]
        assert watcher["globPattern"].endswith("toml}")

    session(tmp_path, talk)


def converse(stream: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([TACENDA, "lsp"], input=stream, capture_output=True, timeout=60)


def frame(message: Any) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def request(method: str, params: Any = None, id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def answers(output: bytes) -> list[Any]:
    found = []
    while output:
        header, _, rest = output.partition(b"\r\n\r\n")
        length = int(header.split(b":")[1])
        found.append(json.loads(rest[:length]))
        output = rest[length:]
    return found


START = frame(request("initialize", {"capabilities": {}}))
END = frame(request("shutdown", id=9)) + frame({"jsonrpc": "2.0", "method": "exit"})


def test_bad_messages_are_answered_with_errors() -> None:
    stream = b"".join(
        [
            frame(request("textDocument/hover", {}, id=0)),
            START,
            frame(b"{nothing"),
            frame(b"[1, 2]"),
            frame(request("initialize", {"capabilities": {}}, id=2)),
            frame(request("textDocument/hover", {"textDocument": "a secret"}, id=3)),
            frame(request("made/up", None, id="four")),
            frame({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": [1]}),
            frame({"jsonrpc": "2.0", "method": "textDocument/didOpen"}),
            frame({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": {}}}),
            frame({"jsonrpc": "2.0", "id": 77, "result": None}),
            END,
        ]
    )
    done = converse(stream)
    assert done.returncode == 0, done.stderr
    codes = [(one["id"], one.get("error", {}).get("code")) for one in answers(done.stdout)]
    assert codes == [
        (0, -32002),
        (1, None),
        (None, -32700),
        (None, -32700),
        (2, -32600),
        (3, -32602),
        ("four", -32601),
        (9, None),
    ]
    assert b"a secret" not in done.stdout + done.stderr


def test_the_end_says_how_it_came() -> None:
    assert converse(START + END).returncode == 0
    assert converse(START).returncode == 1
    assert converse(b"").returncode == 1
    assert converse(START + frame({"jsonrpc": "2.0", "method": "exit"})).returncode == 1
    for stream in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"Content-Length: 99999999999\r\n\r\n",
        b"\xff" * 9999,
    ):
        done = converse(START + stream)
        assert done.returncode == 2
        assert b"error: the editor cannot be understood" in done.stderr
        assert b"panicked" not in done.stderr


def test_nothing_that_is_sent_crashes_it() -> None:
    rounds = int(os.environ.get("TACENDA_LSP_FUZZ", "40"))
    source = random.Random(20261121)
    uri = "file:///tmp/none/a.py"
    document = {"uri": uri, "languageId": "python", "version": 1, "text": APP}
    place = {"line": 7, "character": 30}
    good = [
        request("initialized", {}),
        request("textDocument/didOpen", {"textDocument": document}),
        request(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": 2},
                "contentChanges": [{"range": {"start": place, "end": place}, "text": "é🦊"}],
            },
        ),
        request("textDocument/hover", {"textDocument": {"uri": uri}, "position": place}),
        request(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": uri},
                "range": {"start": place, "end": place},
                "context": {"diagnostics": []},
            },
        ),
        request("textDocument/didClose", {"textDocument": {"uri": uri}}),
    ]
    odd: list[Any] = [None, -1, 2**32, 2**31 - 1, 1.5, "", "\ud800x", [], {}, True, "é" * 99]

    def spoil(value: Any) -> Any:
        if isinstance(value, dict) and value:
            key = source.choice(list(value))
            return {**value, key: spoil(value[key])}
        if isinstance(value, list) and value:
            return [spoil(value[0]), *value[1:]]
        return source.choice(odd)

    for _ in range(rounds):
        messages = []
        for message in good:
            if message["method"] in {"initialized"} or "did" in message["method"]:
                message = {key: value for key, value in message.items() if key != "id"}
            for _ in range(source.choice([0, 0, 1, 2])):
                message = spoil(message)
            body = json.dumps(message).encode()
            if source.random() < 0.1:
                at = source.randrange(len(body))
                body = body[:at] + bytes([source.randrange(256)]) + body[at + 1 :]
            messages.append(frame(body))
        done = converse(START + b"".join(messages) + END)
        assert done.returncode in (0, 1, 2), done.stderr
        assert b"panicked" not in done.stderr
        assert answers(done.stdout)
