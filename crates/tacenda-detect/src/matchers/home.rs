//! The user's name in the path of a home directory.

use std::ops::Range;

/// Longest user name (useradd(8): 32; macOS allows more, and nobody has more).
const LONGEST: usize = 32;

/// Accounts of machines, not of people.
const NOBODY: &[&[u8]] = &[
    b"admin",
    b"airflow",
    b"ansible",
    b"app",
    b"azureuser",
    b"backup",
    b"bamboo",
    b"bitbucket",
    b"build",
    b"buildbot",
    b"builder",
    b"buildkite-agent",
    b"cassandra",
    b"celery",
    b"centos",
    b"ci",
    b"circleci",
    b"cloud-user",
    b"coder",
    b"codespace",
    b"core",
    b"cpython",
    b"debian",
    b"default",
    b"deploy",
    b"deploybot",
    b"deployer",
    b"dev",
    b"docker",
    b"ec2-user",
    b"elasticsearch",
    b"fedora",
    b"foo",
    b"git",
    b"gitea",
    b"github",
    b"gitlab-runner",
    b"gitpod",
    b"grafana",
    b"guest",
    b"hadoop",
    b"hdfs",
    b"hudson",
    b"jenkins",
    b"jovyan",
    b"kafka",
    b"kubernetes",
    b"linuxbrew",
    b"mambauser",
    b"me",
    b"mlflow",
    b"myself",
    b"mysql",
    b"nginx",
    b"nobody",
    b"node",
    b"nodejs",
    b"nodeuser",
    b"nonroot",
    b"opc",
    b"operator",
    b"oracle",
    b"pi",
    b"postgres",
    b"production",
    b"prometheus",
    b"public",
    b"rails",
    b"ray",
    b"redis",
    b"release",
    b"rocketchat",
    b"rocky",
    b"root",
    b"runner",
    b"sagemaker-user",
    b"server",
    b"service",
    b"shared",
    b"singularity",
    b"spark",
    b"staging",
    b"steam",
    b"student",
    b"svc",
    b"sysadmin",
    b"teamcity",
    b"test",
    b"tester",
    b"torch",
    b"training",
    b"travis",
    b"ubuntu",
    b"user",
    b"username",
    b"vagrant",
    b"vscode",
    b"web",
    b"webapp",
    b"worker",
    b"www",
    b"www-data",
    b"you",
    b"zookeeper",
];

/// The user name behind the `Users` or `home` at `at`.
pub(crate) fn user(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let is_home = rest.starts_with(b"home");
    let word = if is_home { "home".len() } else { "Users".len() };
    let separator = *rest.get(word)?;
    let width = match separator {
        b'/' => 1,
        // Escaped once or twice, in a `repr` or in JSON.
        b'\\' if !is_home => rest[word..].iter().take(4).take_while(|b| **b == b'\\').count(),
        _ => return None,
    };
    let root = at.checked_sub(1)?;
    if !matches!(text[root], b'/' | b'\\') || is_home && !is_root(text, root) {
        return None;
    }
    let start = at + word + width;
    let name = text[start..].iter().take(LONGEST + 1);
    let end = start
        + name.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')).count();
    let name = &text[start..end];
    // A capital begins the name of a folder, save on Windows.
    let first = *name.first()?;
    let is_name = first.is_ascii_lowercase() || separator == b'\\' && first.is_ascii_uppercase();
    let is_path = text.get(end) == Some(&separator);
    let is_somebody = !NOBODY.iter().any(|nobody| nobody.eq_ignore_ascii_case(name));
    (is_name && is_path && is_somebody && name.len() <= LONGEST).then_some(start..end)
}

/// Whether the `/` at `root` begins a path: `templates/home/index.html` is no home directory.
fn is_root(text: &[u8], root: usize) -> bool {
    let before = root.checked_sub(1).map(|i| text[i]);
    before.is_none_or(|b| {
        !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b'*' | b'~'))
    }) || text[..root].ends_with(b"file://")
}
