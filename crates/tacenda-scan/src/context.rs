//! What a file is about, read from its imports and its words: some names mean a secret in one place
//! and a word of a language in another.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use ruff_python_ast::name::Name;
use rustc_hash::FxHashSet as HashSet;

/// What a file is about.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Context {
    /// Language models: prompts, completions.
    pub ml: bool,
    /// Language models that call tools.
    pub tools: bool,
    /// HTTP, as client or server.
    pub http: bool,
    /// It sends mail, or reads it.
    pub mail: bool,
    /// It sends and receives by itself: over sockets, by a protocol of its own.
    pub wire: bool,
    /// It serves requests: what it prints is a log.
    pub server: bool,
    /// Tokens are words here, of a language or a grammar.
    pub lexer: bool,
    /// Its requests are `WebOb`'s, whose text is the whole request.
    pub webob: bool,
    /// It is an Ansible module.
    pub ansible: bool,
    /// It runs models with MLX.
    pub mlx: bool,
    /// It installs the guard.
    pub guarded: bool,
    /// OAuth: codes and tokens that are given out in steps.
    pub oauth: bool,
    /// It asks a database.
    pub sql: bool,
    /// Agents, which are told what to do.
    pub agents: bool,
    /// It is no program, which prints for its user, but is used by others.
    pub library: bool,
    /// It handles credentials.
    pub credentials: bool,
    /// An option of its command line is named like a credential.
    pub secret_option: bool,
    /// Names whose fields are read as credentials: `config` where `config.password` is.
    pub holders: HashSet<Name>,
    /// Names of what a connection to a database or a broker is made with.
    pub addresses: HashSet<Name>,
    /// Names of what clients made of answers, anywhere in the file.
    pub answers: HashSet<Name>,
    /// Attributes of the object itself that stand for something sensitive by what is done with them.
    pub used: Vec<(Name, crate::Label)>,
}

const ML_IMPORTS: &[&str] = &[
    "mlx",
    "mlx_lm",
    "mlx_vlm",
    "mlx_audio",
    "mlx_embeddings",
    "mflux",
    "openai",
    "anthropic",
    "langchain",
    "langchain_core",
    "llama_index",
    "litellm",
    "vllm",
    "ollama",
    "llama_cpp",
    "outlines",
    "dspy",
    "transformers",
    "sentence_transformers",
    "mlx_whisper",
    "cohere",
    "mistralai",
    "groq",
    "langgraph",
    "pydantic_ai",
    "smolagents",
    "haystack",
    "instructor",
    "tiktoken",
    "whisper",
    "faster_whisper",
    "mcp",
    "fastmcp",
    "crewai",
    "autogen_core",
    "autogen_agentchat",
    "semantic_kernel",
    "claude_agent_sdk",
    "claude_code_sdk",
];
const ML_WORDS: &[&str] = &[
    "max_tokens",
    "chat_template",
    "apply_chat_template",
    "messages",
    "prompt",
    "prompts",
    "completion",
    "tool_calls",
    "tool_call",
    "top_p",
    "tokenizer",
    "stream_generate",
    "negative_prompt",
    "prompt_tokens",
    "completion_tokens",
    "system_prompt",
    "llm",
    "generated_text",
    "mlx",
    "max_new_tokens",
    "chat_history",
    "prompt_template",
    "PromptTemplate",
    "user_message",
    "LLM",
    "tool_call_id",
    "tool_choice",
    "finish_reason",
    "thought",
    "thoughts",
    "scratchpad",
    "embedder",
    "retriever",
    "vectorstore",
    "vector_store",
    "vector_search",
    "similarity_search",
    "reranker",
    "page_content",
    "system_message",
    "assistant_message",
];
/// What talks to a shell or the terminal of a device, whose prompts and outputs are no model's.
const SHELL_IMPORTS: &[&str] =
    &["paramiko", "asyncssh", "pexpect", "ptyprocess", "telnetlib", "telnetlib3", "netmiko"];
const SHELL_WORDS: &[&str] = &[
    "find_prompt",
    "base_prompt",
    "set_base_prompt",
    "prompt_pattern",
    "strip_prompt",
    "read_until_prompt",
    "send_command",
    "expect_string",
    "config_mode",
    "sendline",
    "invoke_shell",
    "ssh",
    "telnet",
];
/// What turns speech into text, and text into speech.
const SPEECH_IMPORTS: &[&str] = &[
    "TTS",
    "kokoro",
    "pyttsx3",
    "gtts",
    "elevenlabs",
    "deepgram",
    "speech_recognition",
    "whisperx",
    "pywhispercpp",
    "vosk",
];
const SPEECH_WORDS: &[&str] = &[
    "tts",
    "TTS",
    "stt",
    "STT",
    "asr",
    "ASR",
    "synthesize",
    "synthesizer",
    "transcribe",
    "transcriber",
    "transcript",
    "transcription",
    "transcriptions",
    "text_to_speech",
    "speech_to_text",
    "recognizer",
    "recognition",
    "Recognition",
    "voice_id",
    "speaker_id",
    "phonemes",
];
const HTTP_IMPORTS: &[&str] = &[
    "requests",
    "httpx",
    "aiohttp",
    "urllib3",
    "http",
    "urllib",
    "flask",
    "fastapi",
    "starlette",
    "django",
    "tornado",
    "bottle",
    "falcon",
    "pyramid",
    "webob",
    "werkzeug",
    "sanic",
    "quart",
    "twisted",
    "six",
    "httplib2",
    "httplib",
    "urllib2",
    "webapp2",
    "cherrypy",
    "botocore",
    "websockets",
    "websocket",
    "pycurl",
    "treq",
    "uvicorn",
    "gunicorn",
    "oslo_middleware",
    "zeep",
    "suds",
    "oauthlib",
    "requests_oauthlib",
    "authlib",
    "scrapy",
    "wsgiref",
    "asgiref",
    "litestar",
    "connexion",
    "slack_sdk",
    "stripe",
    "twilio",
    "mechanize",
    "curl_cffi",
    "grpc",
    "socketio",
    "azure",
    "googleapiclient",
    "elasticsearch",
    "paho",
    "aiomqtt",
    "discord",
    "slack_bolt",
    "telegram",
    "aiogram",
    "telethon",
];
const HTTP_WORDS: &[&str] = &[
    "headers",
    "status_code",
    "request",
    "response",
    "resp",
    "urlopen",
    "urlencode",
    "http_client",
    "req",
    "user_agent",
    "content_type",
    "Authorization",
    "cookies",
    "session",
    "post",
    "do_POST",
    "get_json",
    "query_string",
    "more_body",
    "environ",
    "start_response",
    "http_headers",
    "wsgi",
];
const MAIL_IMPORTS: &[&str] =
    &["smtplib", "imaplib", "poplib", "aiosmtplib", "aiosmtpd", "imapclient", "mailbox"];
const MAIL_WORDS: &[&str] = &[
    "sendmail",
    "send_mail",
    "EmailMessage",
    "MIMEText",
    "MIMEMultipart",
    "from_address",
    "from_addr",
    "to_addrs",
    "smtp",
    "imap",
    "mailbox",
    "Mailbox",
    "inbox",
];
const WIRE_IMPORTS: &[&str] = &[
    "socket",
    "ssl",
    "asyncio",
    "serial",
    "serial_asyncio",
    "zmq",
    "socks",
    "trio",
    "anyio",
    "selectors",
    "select",
    "asyncore",
    "asynchat",
];
const SERVER_IMPORTS: &[&str] = &[
    "flask",
    "fastapi",
    "starlette",
    "django",
    "tornado",
    "bottle",
    "falcon",
    "pyramid",
    "sanic",
    "quart",
    "uvicorn",
    "socketserver",
    "webob",
    "oslo_middleware",
    "gradio",
    "streamlit",
    "nicegui",
    "chainlit",
    "fastmcp",
];
const TOOL_WORDS: &[&str] = &[
    "tool_call",
    "tool_calls",
    "ToolCall",
    "function_call",
    "parse_tools",
    "parse_tool_call",
    "parse_tool_calls",
    "extract_tool_calls",
    "tool_name",
    "tool_args",
    "tool_input",
    "tool_arguments",
    "call_tool",
    "execute_tool",
];
/// Of the words of a lexer those that nothing else is called by.
const LEXERS: &[&str] = &[
    "tokenizer",
    "tokenize",
    "lexer",
    "untokenize",
    "pygments",
    "shlex",
    "eos_token",
    "token_ids",
    "vocab",
    "TokenType",
    "wordchars",
    "tokenizers",
];
const LEXER_WORDS: &[&str] = &[
    "tokenizer",
    "tokenize",
    "lexer",
    "tokens",
    "eos_token",
    "token_ids",
    "Token",
    "TokenType",
    "token_type",
    "untokenize",
    "pygments",
    "shlex",
    "get_token",
    "read_token",
    "push_token",
    "pushback",
    "wordchars",
    "next_token",
    "peek",
    "parse_expr",
    "vocab",
    "NAME",
    "tokenizers",
];

/// Words of what is inside of a model, whose tokens are pieces of a text.
const NETWORK_WORDS: &[&str] = &[
    "logits",
    "attention",
    "attn",
    "expert",
    "experts",
    "moe",
    "hidden_states",
    "hidden_size",
    "layer_idx",
    "num_layers",
    "vocab_size",
    "softmax",
    "embed_tokens",
];

const OAUTH_IMPORTS: &[&str] = &["oauthlib", "requests_oauthlib", "authlib", "oauth2client"];
const OAUTH_WORDS: &[&str] = &[
    "oauth",
    "OAuth",
    "oauth2",
    "OAuth2",
    "redirect_uri",
    "client_id",
    "authorization_code",
    "grant_type",
    "code_verifier",
    "oauth_token",
    "fetch_token",
    "authorize_url",
    "access_token",
];
const SQL_IMPORTS: &[&str] = &[
    "sqlalchemy",
    "sqlite3",
    "psycopg",
    "psycopg2",
    "pymysql",
    "MySQLdb",
    "asyncpg",
    "sqlmodel",
    "peewee",
    "duckdb",
];
const SQL_WORDS: &[&str] = &["sql", "SQL", "cursor", "sql_query", "fetchall", "fetchone"];
const AGENT_WORDS: &[&str] =
    &["agent", "Agent", "agents", "BaseAgent", "agent_name", "AgentExecutor"];
const PROGRAM_IMPORTS: &[&str] = &[
    "argparse",
    "click",
    "typer",
    "fire",
    "optparse",
    "docopt",
    "getopt",
    "cmd",
    "absl",
    "rich_click",
];
const PROGRAM_WORDS: &[&str] = &["main", "argv", "parse_args", "_main", "cli"];

/// Parts of names that speak of language models: those that little else does, then those that do with
/// others.
const OF_MODELS: &[&str] =
    &["llm", "gpt", "openai", "llama", "langchain", "chatbot", "chatcompletion", "anthropic"];
const WITH_MODELS: &[&str] = &[
    "prompt",
    "completion",
    "embedding",
    "agent",
    "assistant",
    "conversation",
    "chat",
    "question",
    "answer",
    "message",
    "generat",
    "token",
    "model",
    "tool",
    "statement",
];

/// Whether names speak of a language model, and of what it is told.
fn speaks_of_models(names: &HashSet<Name>) -> bool {
    static PARTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let parts = OF_MODELS.iter().chain(WITH_MODELS);
        let built = AhoCorasick::builder().ascii_case_insensitive(true).build(parts);
        built.expect("a few short words")
    });
    let mut spoken = [false; OF_MODELS.len() + WITH_MODELS.len()];
    for name in names.iter().filter(|name| !is_of_browser(name)) {
        let letters = name.as_bytes();
        for part in PARTS.find_overlapping_iter(name.as_str()) {
            // `BaseLLM`, `llm_name`; not `fullmatch`.
            let begins = part.start() == 0 || {
                let before = letters[part.start() - 1];
                !before.is_ascii_alphanumeric()
                    || before.is_ascii_lowercase() && letters[part.start()].is_ascii_uppercase()
            };
            spoken[part.pattern().as_usize()] |= begins;
        }
    }
    let (of, with) = spoken.split_at(OF_MODELS.len());
    let count = |spoken: &[bool]| spoken.iter().filter(|one| **one).count();
    let has =
        |word: &str| WITH_MODELS.iter().zip(with).any(|(one, spoken)| *one == word && *spoken);
    count(of) > 0 && count(with) >= 2
        || has("prompt") && has("model") && has("generat")
        || has("prompt") && names.iter().any(|name| COUNTS_OF_TOKENS.contains(&name.as_str()))
        || has("agent") && (has("prompt") || has("tool") || has("chat") && has("message"))
        || has("question") && has("answer") && (has("assistant") || names.iter().any(is_bot))
}

/// How many tokens a text has.
const COUNTS_OF_TOKENS: &[&str] =
    &["num_tokens", "n_tokens", "total_tokens", "input_tokens", "output_tokens", "token_count"];

/// `user_agent`
fn is_of_browser(name: &Name) -> bool {
    let agent = name.len() >= 9 && name.to_ascii_lowercase().ends_with("agent");
    agent && (name.to_ascii_lowercase().contains("user") || name.contains("http"))
}

/// `shop_bot`
fn is_bot(name: &Name) -> bool {
    name == "bot" || name.ends_with("_bot")
}

/// Whether a package is one of agents, and the code of what they tell each other.
fn is_of_agents(packages: &HashSet<Name>, names: &HashSet<Name>) -> bool {
    let of_agents = |package: &Name| package.contains("agent") && !package.contains("user");
    packages.iter().any(of_agents)
        && AGENT_WORDS.iter().any(|word| names.contains(*word))
        && ["Message", "messages", "prompt", "prompts"].iter().any(|word| names.contains(*word))
}

/// Whether a package is named after language models, or after who has some: `langchain_openai`.
fn is_of_models(package: &Name) -> bool {
    ["llm", "llama", "openai", "langchain", "anthropic"].iter().any(|of| package.contains(of))
}

impl Context {
    /// Reads it from the names and the imported packages of a file.
    pub(crate) fn of(names: &HashSet<Name>, packages: &HashSet<Name>, credentials: bool) -> Self {
        let known = |list: &[&str]| list.iter().filter(|word| names.contains(**word)).count();
        let imports = |list: &[&str]| list.iter().any(|package| packages.contains(*package));
        let lexer = known(LEXER_WORDS);
        let agents = known(AGENT_WORDS) >= 1;
        let shell = imports(SHELL_IMPORTS) || known(SHELL_WORDS) >= 2;
        Self {
            ml: imports(ML_IMPORTS)
                || imports(SPEECH_IMPORTS)
                || packages.iter().any(is_of_models)
                || is_of_agents(packages, names)
                || !shell
                    && (known(ML_WORDS) >= 2
                        || names.contains("tool_call") && names.contains("arguments")
                        || known(ML_WORDS) >= 1 && known(TOOL_WORDS) >= 2
                        || known(SPEECH_WORDS) >= 2
                        || names.iter().filter(|name| name.contains("transcri")).count() >= 3
                        || speaks_of_models(names)),
            http: imports(HTTP_IMPORTS) || known(HTTP_WORDS) >= 2,
            mail: imports(MAIL_IMPORTS) || known(MAIL_WORDS) >= 2,
            wire: imports(WIRE_IMPORTS),
            webob: imports(&["webob"]),
            ansible: imports(&["ansible"]) || names.contains("AnsibleModule"),
            mlx: imports(&["mlx", "mlx_lm", "mlx_vlm", "mlx_audio", "mflux"]),
            guarded: imports(&["tacenda"]),
            server: imports(SERVER_IMPORTS) || names.contains("BaseHTTPRequestHandler"),
            tools: known(TOOL_WORDS) >= 1,
            oauth: imports(OAUTH_IMPORTS) || known(OAUTH_WORDS) >= 2,
            sql: imports(SQL_IMPORTS) || known(SQL_WORDS) >= 1,
            agents,
            library: !imports(PROGRAM_IMPORTS) && known(PROGRAM_WORDS) == 0,
            // `get_token`, `tokens`: also of who signs in, where credentials are handled.
            lexer: known(LEXERS) >= 1 && lexer >= 2
                || names.contains("tokenizer")
                || known(NETWORK_WORDS) >= 2
                || lexer >= 2 && !credentials,
            ..Self::default()
        }
    }
}
