//! Which layer wins, and that each value knows where it came from.

use std::{fs, path::Path};

use proptest::prelude::*;
use tacenda_policy::{Action, Class, Kind, Loaded, Loader, Origin, Setting, Warning};

fn loaded(text: &str) -> Loaded {
    Loader::isolated().text("tacenda.toml", text).load().expect("the text is a valid policy")
}

/// The text of a valid value, different for each layer, and that text in TOML.
fn value(setting: Setting, layer: usize) -> (String, String) {
    let quoted = |text: &str| (text.to_owned(), format!("'{text}'"));
    match setting {
        Setting::Environment => quoted(["production", "development", "l3", "l4", "l5"][layer]),
        Setting::Stdout => quoted(["auto", "output", "log", "output", "auto"][layer]),
        Setting::Tmpdir => quoted(["private", "inherit"][layer % 2]),
        Setting::Umask => quoted(["077", "inherit", "027", "007", "037"][layer]),
        Setting::ProtectMinChars | Setting::HashDigits => {
            (format!("{}", 20 + layer), format!("{}", 20 + layer))
        }
        Setting::Sinks => {
            (format!("stdio,file:/log/{layer}.log"), format!("['stdio', 'file:/log/{layer}.log']"))
        }
        Setting::SinksFileKeep => (format!("{}", 2 + layer), format!("{}", 2 + layer)),
        Setting::SinksSyslogFacility => {
            quoted(["user", "daemon", "auth", "local0", "local1"][layer])
        }
        Setting::SinksSyslogFormat => quoted(["rfc5424", "rfc3164"][layer % 2]),
        Setting::SinksJournalClass => quoted(["internal", "restricted"][layer % 2]),
        Setting::ProtectMaxBytes | Setting::SinksFileSize | Setting::SinksQueue => {
            quoted(&format!("{}MiB", layer + 1))
        }
        Setting::LevelsFloor => quoted(["inherit", "debug", "info", "error", "critical"][layer]),
        Setting::LevelsLoggers => (
            format!("a.*=info,b{layer}=error"),
            format!("{{ 'a.*' = 'info', b{layer} = 'error' }}"),
        ),
        Setting::LevelsQueryStrings => quoted(["cut", "keep"][layer % 2]),
        Setting::ProtectExpire
        | Setting::LevelsDebugAtMost
        | Setting::SinksFileAge
        | Setting::SinksWait => quoted(&format!("{}m", layer + 1)),
        Setting::KeysFile
        | Setting::VaultPath
        | Setting::SlotMap
        | Setting::SinksSyslogCertificate
        | Setting::SinksSyslogKey => quoted(&format!("/keys/{layer}")),
        Setting::HashCountryCode => quoted(&format!("{}", 40 + layer)),
        Setting::FpeLuhn => quoted(["valid", "invalid"][layer % 2]),
        Setting::DetectorsRules
        | Setting::LogDirectories
        | Setting::ProtectPhrases
        | Setting::ScanModels => (
            format!("/rules/first,/rules/second{layer}"),
            format!("['/rules/first', '/rules/second{layer}']"),
        ),
        Setting::OutputCommands | Setting::KeysCommand | Setting::DetectorsDisable => {
            (format!("a,b{layer}"), format!("['a', 'b{layer}']"))
        }
    }
}

proptest! {
    /// Layers: file (bit 0), the environment that is extended (1), the environment (2), the variable
    /// (3), the argument (4).
    #[test]
    fn the_highest_layer_wins(setting in prop::sample::select(Setting::ALL), present in 0_u8..32) {
        let has = |layer: usize| present & 1 << layer != 0;
        let toml = |layer: usize| {
            let (_, toml) = value(setting, layer);
            if has(layer) { format!("{{}}.{setting} = {toml}\n") } else { String::new() }
        };
        let mut present = present;
        let mut text = "[environments]\nl3 = {}\nl4 = {}\nl5 = {}\n".to_owned();
        let mut loader = Loader::isolated();
        if setting == Setting::Environment {
            present &= 0b11001;
            if present & 1 != 0 {
                text.insert_str(0, &format!("environment = {}\n", value(setting, 0).1));
            }
        } else {
            let root = toml(0).replace("{}.", "");
            let base = toml(1).replace("{}", "environments.base");
            let own = toml(2).replace("{}", "environments.own");
            text = format!(
                "environment = 'own'\nenvironments.own.extends = 'base'\nenvironments.base.extends = \
                 'production'\n{root}{base}{own}"
            );
        }
        // A certificate needs its key, and a key its certificate.
        let other = match setting {
            Setting::SinksSyslogCertificate => Some(Setting::SinksSyslogKey),
            Setting::SinksSyslogKey => Some(Setting::SinksSyslogCertificate),
            _ => None,
        };
        if let Some(other) = other.filter(|_| present != 0) {
            text.insert_str(0, &format!("{other} = '/other'\n"));
        }
        loader = loader.text("tacenda.toml", text.clone());
        if present & 1 << 3 != 0 {
            loader = loader.variable(setting.variable(), value(setting, 3).0);
        }
        if present & 1 << 4 != 0 {
            loader = loader.argument(setting, "--flag", value(setting, 4).0);
        }
        let loaded = loader.load().map_err(|fault| TestCaseError::fail(format!("{fault}\n{text}")))?;

        let origin = loaded.origin(setting);
        if let Some(highest) = (0..5).rev().find(|layer| present & 1 << layer != 0) {
            prop_assert_eq!(loaded.policy().text(setting), value(setting, highest).0);
            match highest {
                4 => prop_assert_eq!(origin, &Origin::Argument("--flag")),
                3 => prop_assert_eq!(origin, &Origin::Variable(setting.variable())),
                _ => {
                    let place = origin.place().unwrap();
                    let line = text.lines().nth(place.line - 1).unwrap();
                    let written: String = line.chars().skip(place.column - 1).collect();
                    prop_assert_eq!(written, value(setting, highest).1);
                }
            }
        } else {
            prop_assert_eq!(origin, &Origin::Default);
        }
    }

    /// The action for a kind, set at random for the kind and for its class, at the top and in the
    /// environment: the environment before the top, then the kind before the class.
    #[test]
    fn the_highest_action_wins(
        kind in prop::sample::select(Kind::ALL),
        class in prop::option::of(prop::sample::select(Class::ALL)),
        said in prop::collection::vec(prop::option::of(prop::sample::select(Action::ALL)), 4),
    ) {
        let in_force = class.unwrap_or(kind.default_class());
        let action = |prefix: &str, subject: &str, action: Option<Action>| {
            action.map(|action| format!("{prefix}actions.{subject} = '{action}'\n"))
        };
        let lines = [
            Some("environment = 'e'\nenvironments.e = { extends = 'base' }\n".to_owned()),
            Some("environments.base.classes = {}\nvault.path = 'vault'\n".to_owned()),
            class.map(|class| format!("classes.{kind} = '{class}'\n")),
            action("", in_force.name(), said[0]),
            action("", kind.name(), said[1]),
            action("environments.base.", in_force.name(), said[2]),
            action("environments.base.", kind.name(), said[3]),
        ];
        let text: String = lines.into_iter().flatten().collect();
        let loaded = loaded(&text);
        let wins = said.iter().rev().find_map(|action| *action);
        prop_assert_eq!(loaded.policy().class(kind), in_force);
        prop_assert_eq!(
            loaded.policy().action(kind),
            wins.unwrap_or(Action::default_for(kind, in_force))
        );
        prop_assert_eq!(loaded.action_origin(kind) == &Origin::Default, wins.is_none());
        prop_assert_eq!(loaded.class_origin(kind) == &Origin::Default, class.is_none());
    }
}

#[test]
fn other_environments_do_not_speak() {
    let text = "environments.development.actions.prompt = 'keep'";
    assert_eq!(loaded(text).policy().action(Kind::Prompt), Action::Summarize);
    let text = format!("environment = 'development'\n{text}");
    assert_eq!(loaded(&text).policy().action(Kind::Prompt), Action::Keep);
}

#[test]
fn what_is_built_into_development_reaches_those_that_extend_it_and_yields_to_the_file() {
    let keeps = |text: &str| loaded(text).policy().action(Kind::Network) == Action::Keep;
    assert!(!keeps(""));
    assert!(keeps("environment = 'development'"));
    assert!(keeps("environment = 'laptop'\nenvironments.laptop.extends = 'development'"));
    assert!(!keeps("environment = 'laptop'\nenvironments.laptop = {}"));
    assert!(!keeps("environment = 'development'\nactions.network = 'mask'"));
    assert!(!keeps("environment = 'development'\nclasses.network = 'confidential'"));
}

#[test]
fn a_lower_class_is_kept_and_a_higher_one_is_not() {
    let action = |text: &str| loaded(text).policy().action(Kind::Personal);
    assert_eq!(action("classes.personal = 'internal'"), Action::Keep);
    assert_eq!(action("classes.personal = 'restricted'"), Action::Hash);
    assert_eq!(action("classes.personal = 'internal'\nactions.internal = 'drop'"), Action::Drop);
}

#[test]
fn the_chosen_file_and_what_it_is_relative_to() {
    let root = tempfile::tempdir().unwrap();
    let inner = root.path().join("project/src");
    fs::create_dir_all(&inner).unwrap();
    let project = root.path().join("project");
    let text = "keys.file = 'key'\n[guard]\nlog_directories = ['logs', '/var/log/a']\nslot_map = 'm.json'\n\
         [scan]\nmodels = ['models.toml']";
    fs::write(project.join("tacenda.toml"), text).unwrap();
    fs::write(root.path().join("other.toml"), "guard.stdout = 'log'").unwrap();

    let near = Loader::isolated().directory(&inner);
    let loaded = near.load().unwrap();
    assert_eq!(loaded.file(), Some(project.join("tacenda.toml").as_path()));
    assert_eq!(loaded.policy().keys_file(), Some(project.join("key").as_path()));

    let logs = [project.join("logs"), "/var/log/a".into()];
    assert_eq!(loaded.policy().log_directories(), logs);
    assert_eq!(loaded.policy().slot_map_path(), Some(project.join("m.json").as_path()));
    assert_eq!(loaded.policy().model_paths(), [project.join("models.toml")]);

    let here = Loader::isolated().directory(&project).load().unwrap();
    assert_eq!(here.file(), Some(Path::new("tacenda.toml")), "shown relative to where one is");

    let argument = near.clone().argument(Setting::KeysFile, "--key", "k2");
    let loaded = argument.load().unwrap();
    assert_eq!(loaded.policy().keys_file(), Some(inner.join("k2").as_path()));

    let variable = near.variable("TACENDA_CONFIG", root.path().join("other.toml"));
    assert_eq!(variable.load().unwrap().policy().text(Setting::Stdout), "log");
    let named = variable.file(project.join("tacenda.toml"));
    assert_eq!(named.load().unwrap().policy().text(Setting::Stdout), "auto");
}

#[test]
fn pyproject_holds_the_same_policy() {
    let text =
        "[project]\nname = 'x'\n[tool.other]\nguard = 1\n[tool.tacenda]\nguard.stdout = 'log'";
    let loaded = Loader::isolated().text("pyproject.toml", text).load().unwrap();
    assert_eq!(loaded.policy().text(Setting::Stdout), "log");
    assert_eq!(loaded.origin(Setting::Stdout).to_string(), "pyproject.toml:6:16");
}

#[test]
fn unwise_configurations_are_warned_of() {
    let warnings = |text: &str| {
        let loaded = loaded(text);
        loaded.warnings().iter().map(|w| format!("{w}; {}", w.hint())).collect::<Vec<_>>()
    };
    let said = "values of kind `credential` are written as they are in `production`; \
                `credential = \"mask\"` under `[actions]` protects it";
    assert_eq!(warnings("actions.credential = 'keep'"), [said]);
    assert_eq!(warnings("classes.credential = 'public'"), [said]);
    assert_eq!(warnings("environment = 'development'\nactions.credential = 'keep'"), [""; 0]);
    assert_eq!(warnings("actions.prompt = 'keep'"), [""; 0]);

    let slip = Loader::isolated()
        .variable("TACENDA_STDOOT", "log")
        .variable("TACENDA_POLICY", "{}")
        .variable("TACENDA_CONFIG", "x");
    let expected =
        Warning::UnknownVariable { name: "TACENDA_STDOOT".into(), nearest: "TACENDA_STDOUT" };
    assert_eq!(slip.load().unwrap().warnings(), [expected]);
}

#[cfg(unix)]
#[test]
fn a_file_that_anyone_can_change_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("tacenda.toml");
    fs::write(&path, "").unwrap();
    let warnings = || Loader::isolated().file(&path).load().unwrap().warnings().to_vec();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(warnings(), []);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o646)).unwrap();
    assert_eq!(warnings(), [Warning::WritableByAnyone { path: path.clone() }]);
}

#[test]
fn what_is_allowed_adds_up() {
    let text = "[[allow]]\nkey = 'a1'\nreason = 'r'\n[[environments.own.allow]]\nkey = 'b1'\nreason = 'r'\n\
                [[environments.other.allow]]\nkey = 'c1'\nreason = 'r'\n";
    let keys = |environment: &str| {
        let text = format!("environment = '{environment}'\n{text}");
        let loaded = loaded(&text);
        assert_eq!(loaded.allow_place(0).unwrap().to_string(), "tacenda.toml:2:1");
        loaded.policy().allow().iter().filter_map(tacenda_policy::Allow::key).collect::<Vec<_>>()
    };
    assert_eq!(keys("production"), ["a1"]);
    assert_eq!(keys("own"), ["a1", "b1"]);
}

#[test]
fn an_entry_without_effect_is_warned_of() {
    let of = |text: &str| {
        let said = loaded(text).warnings().iter().map(ToString::to_string).collect::<Vec<_>>();
        said.concat()
    };
    let entry = "[[allow]]\nreason = 'r'\nkey = 'host'\n";
    assert_eq!(of(&format!("{entry}kinds = ['network', 'personal']\ndetectors = ['ipv4']")), "");
    let kept = format!("actions.network = 'keep'\n{entry}kinds = ['network']");
    assert!(of(&kept).ends_with("about kinds that are kept anyway"), "{}", of(&kept));
    let off = format!("detectors.disable = ['ipv4']\n{entry}detectors = ['ipv4']");
    assert!(of(&off).ends_with("about detectors that are turned off"));
}
