//! What the words around a run of capitalised words say: of a person, or of a thing.

use std::ops::Range;

use super::classes::Class;
use super::name::Title;
use super::run::{Part, Role};
use super::{lexicon, words};

/// What the words before and behind say.
pub(super) fn around(text: &[u8], parts: &[Part], i: usize, last: usize, titled: Title) -> i32 {
    let mut sum = titled.weight;
    if i == 0 {
        let before = announced(text, parts[0].start);
        let labelled = parts[0].start >= 2 && text[..parts[0].start].ends_with(b": ");
        let numbered = numbered(text, parts[0].start);
        if before.any(Class::STREET_LEAD) && !before.any(Class::TITLE)
            || before.any(Class::HEAD) && text[..parts[0].start].ends_with(b". ")
            || numbered
        {
            sum -= 6;
        } else if before.any(Class::LEAD) {
            sum -= if last > i { 1 } else { 2 };
        } else if before.any(Class::ANNOUNCE) && last == i && is_for_a_program(text, parts[0].start)
        {
            sum -= 2;
        } else if before.any(Class::ANNOUNCE) || labelled {
            sum += 1;
        }
    } else {
        let before = parts[i - 1];
        if before.role == Role::Word && titled.weight == 0 {
            sum -= if before.class.any(Class::HEAD.with(Class::STREET_LEAD)) {
                6
            } else if is_a_thing(before.class) {
                5
            } else if before.class.any(Class::ROLE) {
                -1
            } else {
                i32::from(
                    before.class.any(Class::WORD)
                        && !before.class.any(Class::ANNOUNCE.with(Class::NEVER)),
                )
            };
        }
    }
    let listed = listed(text, parts[i].start, parts[last].end);
    // Towns are listed as people are.
    let certain = i == last && !parts[i].class.any(Class::PLACE);
    sum += if certain { listed } else { listed.min(1) };
    let placed = |part: &Part| part.role != Role::Word || part.class.any(Class::PLACE);
    if last > i && parts[i..=last].iter().all(placed) {
        sum -= 2;
    }
    match parts.get(last + 1) {
        Some(next) if next.role == Role::Suffix => {
            let street = parts
                .get(last + 2)
                .is_some_and(|part| part.class.any(Class::ORGANISATION.with(Class::STREET)));
            sum += if street { -5 } else { i32::from(last > i) * 2 };
        }
        Some(next) if next.class.any(Class::ORGANISATION.with(Class::STREET)) => sum -= 5,
        Some(next) if next.class.any(Class::WORD) && !next.class.any(Class::NEVER) => sum -= 5,
        Some(next) if is_of_a_thing(&text[next.start..next.end]) => sum -= 3,
        Some(next) if next.role == Role::Word => sum -= 2,
        _ => sum += behind(text, parts[0].start, parts[last].end, titled),
    }
    let alone = last == i && parts[i].class.any(Class::GIVEN);
    sum + i32::from(alone) * addressed(text, parts[i].start, parts[last].end)
}

/// `bindings for Ana`, `support of Ana`: whether what stands before the preposition there is a program, or a
/// part of one.
fn is_for_a_program(text: &[u8], at: usize) -> bool {
    const JOINTS: [&[u8]; 4] = [b"for", b"of", b"to", b"with"];
    const PROGRAMS: [&[u8]; 77] = [
        b"adapter",
        b"api",
        b"backend",
        b"backends",
        b"binding",
        b"bindings",
        b"bridge",
        b"charts",
        b"checkpoint",
        b"checkpoints",
        b"compiler",
        b"component",
        b"components",
        b"config",
        b"configuration",
        b"connector",
        b"dashboard",
        b"dictionaries",
        b"dictionary",
        b"documentation",
        b"driver",
        b"drivers",
        b"editor",
        b"emulator",
        b"engine",
        b"exporter",
        b"extension",
        b"extensions",
        b"files",
        b"font",
        b"fonts",
        b"formatter",
        b"framework",
        b"frontend",
        b"highlighting",
        b"implementation",
        b"implementations",
        b"integration",
        b"interface",
        b"interfaces",
        b"kernels",
        b"lexer",
        b"libraries",
        b"library",
        b"linter",
        b"loader",
        b"metrics",
        b"middleware",
        b"migration",
        b"module",
        b"modules",
        b"parser",
        b"plugin",
        b"plugins",
        b"port",
        b"programming",
        b"runner",
        b"runtime",
        b"schema",
        b"sdk",
        b"source",
        b"support",
        b"syntax",
        b"template",
        b"templates",
        b"tests",
        b"theme",
        b"themes",
        b"tokenizer",
        b"tool",
        b"toolkit",
        b"tools",
        b"tuner",
        b"utilities",
        b"utility",
        b"weights",
        b"wrapper",
    ];
    let joint = words::before(text, at);
    let noun = words::before(text, joint.start);
    JOINTS.contains(&&text[joint]) && PROGRAMS.contains(&&text[noun])
}

/// `Come here, Ana!`, `Ana, can I ask you?`, `Ana: Not yet`: a given name that
/// stands where somebody is spoken to, or speaks.
fn addressed(text: &[u8], start: usize, end: usize) -> i32 {
    const SAYS: [&[u8]; 12] = [
        b", can ",
        b", could ",
        b", please ",
        b", would ",
        b", will ",
        b", I ",
        b", you ",
        b", we ",
        b", thanks",
        b", are you",
        b", do you",
        b", have you",
    ];
    let rest = &text[end..];
    let called = text[..start].ends_with(b", ") && matches!(rest.first(), Some(b'!' | b'?'));
    let asked = SAYS.iter().any(|words| rest.starts_with(words));
    let line = start == 0 || text[start - 1] == b'\n' || text[..start].ends_with(b"\\n");
    let said = rest.strip_prefix(b": ").or_else(|| {
        rest.strip_prefix(b":").filter(|rest| matches!(rest.first(), Some(b'"' | b'\\')))
    });
    let speaks = line
        && said
            .and_then(<[u8]>::first)
            .is_some_and(|byte| byte.is_ascii_uppercase() || matches!(byte, b'"' | b'\\'));
    // `her sister, Annika, was there`.
    let apart = [&b", "[..], b" , "].iter().any(|sign| text[..start].ends_with(sign))
        && (rest.starts_with(b", ") || rest.starts_with(b" , "));
    // `hi, it's Annika from accounts`.
    let this = [&b"it's "[..], b"It's ", b"this is ", b"This is ", b"I'm ", b"i'm ", b"I am "];
    let here = [&b" from "[..], b" here", b" speaking", b" calling", b", ", b" and I"];
    let presents = this.iter().any(|words| text[..start].ends_with(words))
        && here.iter().any(|words| rest.starts_with(words));
    // `Lunch w/ Ana`.
    let with = text[..start].ends_with(b" w/ ");
    if called || asked || speaks || presents || with { 2 } else { i32::from(apart) }
}

/// `pelanggan Ana Ruiz`, `titular de la póliza: Ana Ruiz`: words with capitals behind what
/// people are called in records, of which none is known to be anything else.
pub(super) fn told_by_role(
    text: &[u8],
    parts: &[Part],
    i: usize,
    last: usize,
    titled: bool,
) -> bool {
    let role = match i.checked_sub(1).map(|before| parts[before].class) {
        // `Sheikh Omar Haddad`.
        Some(class) => class.any(Class::ROLE.with(Class::TITLE)),
        None => titled || role_before(text, parts[i].start),
    };
    let names = || parts[i..=last].iter().filter(|part| part.role == Role::Word);
    role && names().all(may_be_called) && names().any(|part| part.class != Class::PLACE)
}

/// Whether the word before `at` is what only people are called: no firm, device or program is.
pub(super) fn behind_person(text: &[u8], at: usize) -> bool {
    const DRIVES: [&[u8]; 8] = [
        b"accepted",
        b"declined",
        b"arrived",
        b"cancelled",
        b"canceled",
        b"waiting",
        b"picked",
        b"called",
    ];
    const PEOPLE: [&[u8]; 41] = [
        b"patient",
        b"patiente",
        b"patientin",
        b"paciente",
        b"paziente",
        b"pacjent",
        b"pacient",
        b"passenger",
        b"passager",
        b"pasajero",
        b"passageiro",
        b"rider",
        b"courier",
        b"nurse",
        b"employee",
        b"student",
        b"teacher",
        b"doctor",
        b"surgeon",
        b"pupil",
        b"caller",
        b"attendee",
        b"applicant",
        b"claimant",
        b"colleague",
        b"roommate",
        b"landlord",
        b"babysitter",
        b"hairdresser",
        b"lawyer",
        b"cashier",
        b"husband",
        b"wife",
        b"daughter",
        b"son",
        b"sister",
        b"brother",
        b"cousin",
        b"nephew",
        b"niece",
        b"neighbour",
    ];
    let word = words::before(text, at);
    // A driver is a program as often.
    let verb = words::end(text, at) + 1;
    let drives = || verb < text.len() && DRIVES.contains(&&text[verb..words::end(text, verb)]);
    if matches!(&text[word.clone()], b"driver" | b"Driver") && drives() {
        return true;
    }
    text.get(word.end) == Some(&b' ')
        && PEOPLE.iter().any(|known| text[word.clone()].eq_ignore_ascii_case(known))
}

/// Whether a word is a name, or nothing that the lists know but a place.
fn may_be_called(part: &Part) -> bool {
    let thing = Class::NEVER.with(Class::ORGANISATION).with(Class::STREET).with(Class::LEAD);
    let other = Class::WORD.with(Class::TITLE).with(Class::HEAD);
    let name = part.class.any(Class::GIVEN.with(Class::FAMILY));
    !part.class.any(thing) && (name || !part.class.any(other))
}

/// Whether the word before `at` is a role, or one of a few words before the colon there.
fn role_before(text: &[u8], at: usize) -> bool {
    const WORDS: usize = 4;
    let role = |word: &Range<usize>| lexicon::class(&text[word.clone()]).any(Class::ROLE);
    let word = words::before(text, at);
    // `The witness, Ana Ruiz, said`.
    if let Some(before) = text[..at].strip_suffix(b", ") {
        return role(&(words::start(before, before.len())..before.len()));
    }
    if !word.is_empty() {
        // `updated by Ana Ruiz`.
        let done = text[word.clone()] == *b"by" && text[..word.start].ends_with(b"ed ");
        return text[word.end] == b' ' && (role(&word) || done);
    }
    let label = text[..at].trim_ascii_end();
    let Some(label) = label.strip_suffix(b":") else { return false };
    let mut end = label.trim_ascii_end().len();
    for _ in 0..WORDS {
        let word = words::start(text, end)..end;
        if word.is_empty() {
            break;
        }
        if role(&word) {
            return true;
        }
        if word.start == 0 || text[word.start - 1] != b' ' {
            break;
        }
        end = word.start - 1;
    }
    false
}

/// Whether the word before `at` says that a thing follows: `cluster Ana Ruiz`.
pub(super) fn names_a_thing(text: &[u8], at: usize) -> bool {
    !text[..at].ends_with(b". ") && is_a_thing(announced(text, at))
}

/// `cluster`, `Hotel`: what comes before things that have the names of people.
fn is_a_thing(before: Class) -> bool {
    let people = Class::ANNOUNCE.with(Class::FOLLOW).with(Class::ROLE).with(Class::TITLE);
    before.any(Class::ORGANISATION) && !before.any(people)
}

/// Whether a number that is no year stands right before `at`.
fn numbered(text: &[u8], at: usize) -> bool {
    let before = text[..at].strip_suffix(b" ").unwrap_or(&[]);
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let number = &before[before.len() - digits..];
    let year = digits == 4 && matches!(&number[..2], b"18" | b"19" | b"20");
    // `00:03:12 Ana Ruiz`.
    let time = before[..before.len() - digits].ends_with(b":");
    digits > 0 && !year && !time
}

/// `Ana, Luis and Marie`: what a name beside it in a list says of a word. `&` joins firms.
fn listed(text: &[u8], start: usize, end: usize) -> i32 {
    const JOINTS: [&[u8]; 3] = [b", ", b" , ", b" and "];
    let of = |word: Range<usize>| {
        let class = lexicon::class(&text[word.clone()]);
        let name = word.len() > 2
            && words::capital(text, word.start)
            && (class.any(Class::PERSON) || !class.any(Class::OTHER));
        match (name && class.any(Class::GIVEN), name && class.any(Class::FAMILY)) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        }
    };
    let before = JOINTS.iter().find(|joint| text[..start].ends_with(joint)).map(|joint| {
        let end = start - joint.len();
        words::start(text, end)..end
    });
    let behind = JOINTS.iter().find(|joint| text[end..].starts_with(joint)).map(|joint| {
        let start = end + joint.len();
        start..words::end(text, start)
    });
    before.map_or(0, of).max(behind.map_or(0, of))
}

/// What only people have.
const RELATIVES: [&[u8]; 22] = [
    b"husband",
    b"wife",
    b"mother",
    b"father",
    b"brother",
    b"sister",
    b"son",
    b"daughter",
    b"parents",
    b"family",
    b"behalf",
    b"children",
    b"friend",
    b"friends",
    b"colleague",
    b"birthday",
    b"career",
    b"house",
    b"widow",
    b"lawyer",
    b"doctor",
    b"boss",
];

fn behind(text: &[u8], start: usize, end: usize, titled: Title) -> i32 {
    const OWNS: [&[u8]; 3] = [b"'s ", b" 's ", "’s ".as_bytes()];
    let rest = &text[end..];
    if is_versioned(rest) {
        return -5;
    }
    if let Some(sign) = OWNS.iter().find(|sign| rest.starts_with(sign)) {
        let owned = end + sign.len();
        let owned = &text[owned..words::end(text, owned)];
        // `Moore's law`, `Cohen's d`.
        let thing = lexicon::class(owned).any(Class::ORGANISATION)
            || owned.len() == 1
            // `Levi's 501`.
            || rest[sign.len()..].first().is_some_and(u8::is_ascii_digit);
        return if RELATIVES.contains(&owned) {
            3
        } else if thing {
            -5
        } else {
            1
        };
    }
    let from = end + 1;
    if rest.first() != Some(&b' ') || !text.get(from).is_some_and(u8::is_ascii_lowercase) {
        return 0;
    }
    let stop = words::end(text, from);
    let word = &text[from..stop];
    let class = lexicon::class(word);
    let joined = text.get(stop) == Some(&b'-');
    let past = word.len() > 4 && word.ends_with(b"ed") && !joined;
    // `recipient Ana Ruiz carrier=post`: another field.
    let field = matches!(text.get(stop), Some(b'=' | b':'));
    if class.any(Class::FOLLOW) && !joined || past {
        1
    } else if class.any(Class::ORGANISATION) && word.len() > 3 {
        -5
    } else if !field && (joined || is_noun(word, class)) {
        // In a sentence somebody may well be in front of a noun: `a big Ana Ruiz fan`.
        let sentence = titled.weight > 0
            || text[words::before(text, start)].first().is_some_and(u8::is_ascii_lowercase);
        if sentence { 0 } else { -4 }
    } else {
        0
    }
}

/// Whether a word in small letters says what kind of thing the words with capitals before it name:
/// `Betty Crocker cake mix`. A verb or a small word goes on with a sentence about somebody.
fn is_noun(word: &[u8], class: Class) -> bool {
    const SENTENCE: [&[u8]; 78] = [
        b"net",
        b"gross",
        b"due",
        b"again",
        b"already",
        b"all",
        b"also",
        b"another",
        b"asap",
        b"away",
        b"back",
        b"both",
        b"down",
        b"during",
        b"each",
        b"first",
        b"here",
        b"instead",
        b"last",
        b"long",
        b"most",
        b"much",
        b"next",
        b"not",
        b"now",
        b"once",
        b"only",
        b"out",
        b"per",
        b"soon",
        b"than",
        b"there",
        b"today",
        b"tomorrow",
        b"tonight",
        b"too",
        b"twice",
        b"up",
        b"yesterday",
        b"est",
        b"hat",
        b"ist",
        b"war",
        b"wird",
        b"und",
        b"oder",
        b"tiene",
        b"fue",
        b"foi",
        b"tem",
        b"och",
        b"har",
        b"er",
        b"og",
        b"va",
        b"era",
        b"sono",
        b"heeft",
        b"werd",
        b"byl",
        b"byla",
        b"jest",
        b"ved",
        b"bei",
        b"con",
        b"mit",
        b"avec",
        b"para",
        b"pour",
        b"sur",
        b"por",
        b"dem",
        b"der",
        b"die",
        b"das",
        b"ein",
        b"una",
        b"uno",
    ];
    let small = Class::FOLLOW.with(Class::LEAD).with(Class::ANNOUNCE).with(Class::ROLE);
    let verb = [&b"s"[..], b"ing", b"ly"].iter().any(|ending| word.ends_with(ending));
    word.len() > 2
        && class.any(Class::WORD)
        && !class.any(small.with(Class::TITLE))
        && !verb
        && !SENTENCE.contains(&word)
}

/// `SKU`, `API`: short for what things have; people have a few others.
fn is_of_a_thing(word: &[u8]) -> bool {
    const OF_PEOPLE: [&[u8]; 16] = [
        b"DOB", b"SSN", b"MRN", b"ID", b"TIN", b"NHS", b"NI", b"NIN", b"DNI", b"NIF", b"CPF",
        b"BSN", b"RUT", b"CURP", b"VIP", b"CEO",
    ];
    word.len() > 1 && word.iter().all(u8::is_ascii_uppercase) && !OF_PEOPLE.contains(&word)
}

/// ` 4.6.7`, ` v2`: programs have versions.
fn is_versioned(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b" ") else { return false };
    let number = rest.strip_prefix(b"v").unwrap_or(rest);
    let length = number.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let version = number[..length].strip_suffix(b".").unwrap_or(&number[..length]);
    let dots = memchr::memchr_iter(b'.', version).count();
    let digits = version.iter().any(u8::is_ascii_digit);
    // `Ana Ruiz 5kg`.
    let unit = number[length..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count() > 1;
    digits && (dots > 1 || unit || number.len() < rest.len() && length > 0)
}

/// `named`, `says`, `my name is`, `call me`: a person comes next, whatever the name.
pub(super) fn introduces(text: &[u8], word: &Range<usize>) -> bool {
    match &text[word.clone()] {
        b"named" | b"says" | b"nicknamed" => true,
        b"is" => {
            let noun = words::before(text, word.start);
            matches!(&text[noun], b"name" | b"surname" | b"Name")
        }
        b"me" => {
            let verb = words::before(text, word.start);
            matches!(&text[verb], b"call" | b"calls" | b"called")
        }
        _ => false,
    }
}

/// `Kind regards, Ana`: what stands before the name below a letter.
pub(super) fn signs_off(text: &[u8], at: usize) -> bool {
    const ENDS: [&[u8]; 8] =
        [b", ", b",\n", b",\\n\\n", b",\\n", b",<br>", b",\r\n", b"\\n", b"\n"];
    const WORDS: [&[u8]; 30] = [
        b"regards",
        b"wishes",
        b"thanks",
        b"cheers",
        b"sincerely",
        b"truly",
        b"faithfully",
        b"love",
        b"saludo",
        b"saludos",
        b"atentamente",
        b"groet",
        b"groeten",
        "Grüßen".as_bytes(),
        "Grüße".as_bytes(),
        "Gruß".as_bytes(),
        b"cordialement",
        b"salutations",
        b"saluti",
        "abraço".as_bytes(),
        "abraços".as_bytes(),
        b"atenciosamente",
        b"hilsen",
        "hälsningar".as_bytes(),
        b"terveisin",
        b"pozdravem",
        b"pozdrawiam",
        "poważaniem".as_bytes(),
        b"stima",
        b"tisztelettel",
    ];
    let before = &text[..at];
    let Some(before) = ENDS.iter().find_map(|end| before.strip_suffix(*end)) else {
        return false;
    };
    let word = &before[words::start(before, before.len())..];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The classes of the word before `at`, in the same sentence.
fn announced(text: &[u8], at: usize) -> Class {
    let word = words::before(text, at);
    if word.is_empty() { Class::NONE } else { lexicon::class(&text[word]) }
}
