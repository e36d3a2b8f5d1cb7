//! Credentials in the spellings of the programs that print them: shells, HTTP clients, configuration
//! files, connection strings.

mod marked;

use marked::holds;

#[test]
fn shells() {
    holds(&[
        "export OPENAI_API_KEY=«sk-proj-CanaryDoNotUse0123456789abcdefABCDEF0123»",
        "export DB_PASSWORD='«C4naryPassw0rd»' && ./run",
        "+ HF_TOKEN=«hf_CanaryDoNotUseAbCdEfGhIjKlMnOpQrStU» python serve.py",
        "$env:API_KEY = \"«Zf3D0LXCM3EIMbgJpUNn»\"",
        "set API_KEY=«Zf3D0LXCM3EIMbgJpUNn»",
        "docker run -e API_KEY=«Zf3D0LXCM3EIMbgJpUNn» -p 8080:80 app",
        "docker login -u app -p «C4naryPassw0rd» registry.example.com",
        "kubectl create secret generic s --from-literal=password=«C4naryPassw0rd»",
        "helm install app --set db.password=«C4naryPassw0rd»",
        "PGPASSWORD=«C4naryPassw0rd» psql -h db -U app",
        "mysql -h db -u app -p«C4naryPassw0rd» prod",
        "sshpass -p «C4naryPassw0rd» ssh app@db",
        "redis-cli -h cache -a «C4naryPassw0rd» ping",
        "['mlx.launch', '--api-key', '«Zf3D0LXCM3EIMbgJpUNn»', 'serve.py']",
        "aws configure set aws_secret_access_key «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
        "API_KEY ?= «Zf3D0LXCM3EIMbgJpUNn»",
    ]);
}

#[test]
fn http_clients() {
    holds(&[
        "curl -u «jane:C4naryPassw0rd» https://api.example.com/",
        "curl -H 'X-Api-Key: «Zf3D0LXCM3EIMbgJpUNn»' https://api.example.com/",
        "curl -H \"Authorization: Bearer «mF_9.B5f-4.1JqM»\" https://api.example.com/",
        "> Authorization: Token «Zf3D0LXCM3EIMbgJ»",
        "Authorization: SSWS «00CanaryDoNotUse0123456789abcdefghijklmnop»",
        "Authorization: GenieKey «832d2129-a846-4e27-99f4-7004b6ad53ef»",
        "send: b'GET / HTTP/1.1\\r\\nX-Auth-Token: «Zf3D0LXCM3EIMbgJpUNn»\\r\\n\\r\\n'",
        "Headers([('x-api-key', '«Zf3D0LXCM3EIMbgJpUNn»'), ('accept', '*/*')])",
        "GET /v1/x?key=«0ca9a4e17f2b5d8c6e3a1b0f9d7c5e2a»&n=1 HTTP/1.1",
        "wss://api.example.com/ws?token=«Zf3D0LXCM3EIMbgJpUNn»",
        "https://app:«C4naryPassw0rd»@api.example.com/v1",
        "https://«0ca9a4e1:7f2b5d8c»@gems.example.com/",
    ]);
}

#[test]
fn configuration_files() {
    holds(&[
        "machine api.example.com login jane password «C4naryPassw0rd»",
        "db.internal:5432:prod:app:«C4naryPassw0rd»",
        "//registry.npmjs.org/:_authToken=«npm_qGvTibEl6rdyyFyT1ALvNGnhF6XM2j2r57ex»",
        "//registry.example.com/:_password=«QzRuYXJ5UGFzc3cwcmQ=»",
        "index-url = https://app:«C4naryPassw0rd»@pypi.example.com/simple",
        "[default]\naws_access_key_id = «AKIAIOSFODNN7EXAMPLE»\naws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»\n",
        "ENV API_TOKEN «Zf3D0LXCM3EIMbgJpUNn»",
        "PrivateKey = «yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=»",
        "psk=\"«C4naryPassw0rd»\"",
    ]);
}

#[test]
fn connection_strings() {
    holds(&[
        "Server=tcp:db,1433;Database=app;User ID=sa;Password=«C4naryPassw0rd»;Encrypt=True;",
        "Data Source=db;User Id=app;Pwd=«C4naryPassw0rd»;",
        "mongodb+srv://app:«C4naryPassw0rd»@cluster0.example.net/prod?retryWrites=true",
        "amqp://app:«C4naryPassw0rd»@mq:5672/vhost",
        "redis://:«C4naryPassw0rd»@cache:6379/0",
        "jdbc:mysql://db:3306/app?user=app&password=«C4naryPassw0rd»",
        "jdbc:sqlserver://db:1433;databaseName=app;user=sa;password=«C4naryPassw0rd»;",
        "jdbc:oracle:thin:scott/«C4naryPassw0rd»@//db:1521/prod",
        "host=db port=5432 dbname=app user=app password=«C4naryPassw0rd» sslmode=require",
        "DefaultEndpointsProtocol=https;AccountName=app;AccountKey=«LQQmPUGmR2QwOjratp0zIh2Au1cJMavOTka8q3GHEpy1R4FYHMqJkld0rzaC4xCk5g5px22fYO2BXFLLIobqCs==»;EndpointSuffix=core.windows.net",
        "CREATE USER 'app'@'%' IDENTIFIED BY '«C4naryPassw0rd»'",
        "ALTER ROLE app WITH PASSWORD '«C4naryPassw0rd»'",
    ]);
}

#[test]
fn a_token_longer_than_its_pattern_leaves_nothing_behind() {
    let digits = |count: u32| (0..count).filter_map(|at| char::from_digit(at * at % 97 % 36, 36));
    for count in [250, 300, 301, 304, 400, 5000] {
        let token: String = digits(count).collect();
        holds(&[&format!("instagram «IGQ{token}», said the server")]);
    }
}

#[test]
fn words_about_secrets_are_none() {
    holds(&[
        "api key missing, set OPENAI_API_KEY",
        "token: expected 3 tokens, got 5",
        "password must have at least 12 characters",
        "curl -u \"$USER:$PASSWORD\" https://api.example.com/",
        "docker login -u app --password-stdin registry.example.com",
        "mysql -h db -u app -p prod -P3306",
        "machine learning with login jane",
        "Authorization: Bearer <token>",
        "0.0.0.0:5432->5432/tcp",
        "nextPageToken: 0ca9a4e17f2b5d8c6e3a1b0f9d7c5e2a",
        "heroku release 0ca9a4e17f2b5d8c6e3a1b0f9d7c5e2a deployed",
        "api_key_id=3f2a key_count=12 primary_key=id",
        "secret name: projects/app/secrets/db-password/versions/3",
    ]);
}
