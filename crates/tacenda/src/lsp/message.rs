//! Messages of JSON-RPC 2.0.
//!
//! Their framing and their reading are our own, since a stream that is no editor's must neither end
//! the server nor take its memory.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a request is known by: a number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// What an editor says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Message {
    /// It asks.
    Request(Request),
    /// It tells.
    Notification(Notification),
    /// It answers. The only question that it is asked needs no more than that.
    Response {
        #[serde(rename = "id")]
        _id: Value,
    },
}

/// A question.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) id: Id,
    pub(super) method: String,
    #[serde(default)]
    pub(super) params: Value,
}

/// What asks for no answer.
#[derive(Debug, Deserialize)]
pub(super) struct Notification {
    pub(super) method: String,
    #[serde(default)]
    pub(super) params: Value,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    /// It is no JSON, or no message.
    ParseError = -32700,
    /// It is not asked at this time.
    InvalidRequest = -32600,
    /// There is no such method.
    MethodNotFound = -32601,
    /// The method takes other parameters.
    InvalidParams = -32602,
    /// The scanner failed.
    InternalError = -32603,
    /// `initialize` comes first.
    ServerNotInitialized = -32002,
    /// The text is another now.
    ContentModified = -32801,
    /// Nobody wants to know any more.
    RequestCancelled = -32800,
}

/// An answer, good or bad, as it is sent.
pub(super) fn answer(id: Option<&Id>, answer: Result<Value, (ErrorCode, String)>) -> Value {
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, message)) => {
            let error = json!({ "code": code as i32, "message": message });
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        }
    }
}

/// Something told, as it is sent.
pub(super) fn told(method: &str, params: &impl Serialize) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}
