//! Keys classify values in every structure that a record may have.

mod marked;

use marked::holds;

#[test]
fn json() {
    holds(&[
        r#"{"password":"«hunter2hunter2»","n":1}"#,
        r#"{ "auth" : { "user": "ines", "password" : "«hunter2hunter2»" } }"#,
        r#"{"a":[{"b":{"db_password":"«hunter2hunter2»"}}],"ok":true}"#,
        r#"{"DB_PASSWORD":"«hunter2hunter2»"}"#,
        r#"{"dbPassword":"«hunter2hunter2»"}"#,
        r#"{"msg":"body {\"password\":\"«hunter2hunter2»\"} refused"}"#,
        r#"{"log":"{\"msg\":\"{\\\"password\\\":\\\"«hunter2hunter2»\\\"}\"}"}"#,
        r#"{"password":"«hunter2\"hunter2»"}"#,
        r#"{"password": 4, "pin": null, "token": true}"#,
        "{\n  \"user\": \"ines\",\n  \"password\": \"«hunter2hunter2»\"\n}",
        r#"{"password":["«hunter2hunter2»"]}"#,
    ]);
}

#[test]
fn names_and_values_in_pairs() {
    holds(&[
        r#"{"name":"DB_PASSWORD","value":"«hunter2hunter2»"}"#,
        r#"{"env": [{"name": "LOG_LEVEL", "value": "debug"}, {"name": "DB_PASSWORD", "value": "«hunter2hunter2»"}]}"#,
        r#"{"name": "Authorization", "value": "Bearer «mF_9.B5f-4.1JqM»"}"#,
        r#"{"name":"cookie","value":"session=«0f3a9b1c2d4e5f60718293a4b5c6d7e8»"}"#,
        r#"[{"key":"password","value":"«hunter2hunter2»"},{"key":"user","value":"ines"}]"#,
        r#"{\"name\":\"DB_PASSWORD\",\"value\":\"«hunter2hunter2»\"}"#,
        "{'Name': 'DB_PASSWORD', 'Value': '«hunter2hunter2»'}",
        "env:\n  - name: DB_PASSWORD\n    value: «hunter2hunter2»\n  - name: MODE\n    value: fast\n",
        "env:\n  - name: DB_PASSWORD\n    value: \"«hunter2hunter2»\"\n",
        r#"<add key="DbPassword" value="«hunter2hunter2»" />"#,
        r#"<property name="password" value="«hunter2hunter2»"/>"#,
        r#"Var { name: "DB_PASSWORD", value: "«hunter2hunter2»" }"#,
        "Header(name='x-api-key', value='«Zf3D0LXCM3EIMbgJpUNn»')",
        r#"{"key":"db.password","value":{"stringValue":"«hunter2hunter2»"}}"#,
        r#"{"key":"gen_ai.prompt.0.content","value":{"stringValue":"«tell me a story»"}}"#,
        "{\"key\": \"db.password\", \"value\": {\n  \"stringValue\": \"«hunter2hunter2»\"\n}}",
        r#"{"name":"ines","value":"hunter2hunter2"}"#,
        r#"{"name":"LOG_LEVEL","value":"password"}"#,
    ]);
}

#[test]
fn key_value_and_logfmt() {
    holds(&[
        "time=2026-11-21T02:37:40Z level=info user=ines password=«hunter2hunter2» msg=ok",
        "level=info password=\"«hunter2 hunter2»\" msg=\"all right\"",
        "password=«hunter2hunter2», user=ines",
        "password=«hunter2hunter2»; user=ines",
        "password: «hunter2hunter2»",
        "user=ines|password=«hunter2hunter2»|n=1",
        "user=ines&password=«hunter2hunter2»&n=1",
        "[password=«hunter2hunter2»]",
        "(password=«hunter2hunter2»)",
        "{password=«hunter2hunter2», user=ines}",
        "password => \"«hunter2hunter2»\"",
        ":password => \"«hunter2hunter2»\"",
        "password := \"«hunter2hunter2»\"",
        "export DB_PASSWORD=«hunter2hunter2»",
        "DB_PASSWORD='«hunter2hunter2»' ./run",
        "--db-password=«hunter2hunter2» --port 1",
        "--db-password «hunter2hunter2» --port 1",
        "map[password:«hunter2hunter2» user:ines]",
        "settings.12.password=«hunter2hunter2»",
        "gen_ai.prompt.0.content=\"«tell me a story»\"",
    ]);
}

#[test]
fn http() {
    holds(&[
        "GET /v1/models?api_key=«Zf3D0LXCM3EIMbgJpUNn»&n=1 HTTP/1.1",
        "> Authorization: Bearer «mF_9.B5f-4.1JqM»",
        "Authorization: Basic «aW5lczpodW50ZXIyaHVudGVyMg==»",
        "header: X-Api-Key: «Zf3D0LXCM3EIMbgJpUNn»",
        "x-api-key=«Zf3D0LXCM3EIMbgJpUNn»",
        "Cookie: session=«0f3a9b1c2d4e5f60718293a4b5c6d7e8»",
        "Set-Cookie: sid=«0f3a9b1c2d4e5f60718293a4b5c6d7e8»; Path=/; HttpOnly",
        "send: b'POST /v1 HTTP/1.1\\r\\nAuthorization: Bearer «mF_9.B5f-4.1JqM»\\r\\nAccept: */*\\r\\n'",
        "{'Authorization': 'Bearer «mF_9.B5f-4.1JqM»', 'Accept': '*/*'}",
        "[('Authorization', 'Bearer «mF_9.B5f-4.1JqM»'), ('Accept', '*/*')]",
        "[(b'authorization', b'Bearer «mF_9.B5f-4.1JqM»'), (b'accept', b'*/*')]",
        r#"[["authorization","Bearer «mF_9.B5f-4.1JqM»"],["accept","*/*"]]"#,
        "Headers({'x-api-key': '«Zf3D0LXCM3EIMbgJpUNn»'})",
        "<Request headers={'x-api-key': ['«Zf3D0LXCM3EIMbgJpUNn»']}>",
    ]);
}

#[test]
fn python() {
    holds(&[
        "{'user': 'ines', 'password': '«hunter2hunter2»'}",
        "Login(user='ines', password='«hunter2hunter2»')",
        "user='ines' password='«hunter2hunter2»' n=3",
        "Settings(db=Database(host='x', password='«hunter2hunter2»'), debug=True)",
        "SecretStr('**********') password=SecretStr('**********')",
        "{'password': b'«hunter2hunter2»'}",
        "{'password': u'«hunter2hunter2»'}",
        "OrderedDict([('user', 'ines'), ('password', '«hunter2hunter2»')])",
        "environ({'HOME': '/root', 'DB_PASSWORD': '«hunter2hunter2»'})",
        "Namespace(password='«hunter2hunter2»', port=1)",
        "TypeError: login() got an unexpected keyword: login(password='«hunter2hunter2»')",
        "KeyError: 'password'",
        "    login(user, password=\"«hunter2hunter2»\")",
        "    password = '«hunter2hunter2»'",
        "locals: password = '«hunter2hunter2»', n = 3",
        "input_value={'password': '«hunter2hunter2»'}, input_type=dict",
    ]);
}

#[test]
fn yaml_toml_and_ini() {
    holds(&[
        "db:\n  user: ines\n  password: «hunter2hunter2»\n  port: 5432\n",
        "db:\n  password: '«hunter2hunter2»'\n",
        "- password: \"«hunter2hunter2»\"\n",
        "[db]\nuser = \"ines\"\npassword = \"«hunter2hunter2»\"\n",
        "[db]\npassword = '«hunter2hunter2»'\n",
        "[client]\nuser=ines\npassword=«hunter2hunter2»\n",
        "spring.datasource.password=«hunter2hunter2»\n",
    ]);
}

#[test]
fn xml() {
    holds(&[
        r#"<user name="ines" password="«hunter2hunter2»"/>"#,
        "<user name='ines' password='«hunter2hunter2»'/>",
        "<db><user>ines</user><password>«hunter2hunter2»</password></db>",
        "<ns:Password>«hunter2hunter2»</ns:Password>",
        "<password type=\"plain\">«hunter2hunter2»</password>",
        "<wsse:Password Type=\"x#PasswordText\">«hunter2hunter2»</wsse:Password>",
        "<accessToken>«Zf3D0LXCM3EIMbgJpUNn»</accessToken>",
        "&lt;password&gt;«hunter2hunter2»&lt;/password&gt;",
        r"<password>«hunter2hunter2»<\/password>",
        "<password></password><password/><password>***</password>",
        "<label>password</label><input type=\"password\">",
        "<td>password</td><td>required</td>",
    ]);
}

#[test]
fn coloured() {
    holds(&[
        "\x1b[36mpassword\x1b[0m=\x1b[35m«hunter2hunter2»\x1b[0m",
        "\x1b[36mpassword\x1b[0m\x1b[2m=\x1b[0m\x1b[35m«hunter2hunter2»\x1b[0m \x1b[36mn\x1b[0m=1",
        "\x1b[36mpassword\x1b[0m: \x1b[35m«hunter2hunter2»\x1b[0m",
        "\x1b[32m\"password\"\x1b[0m: \x1b[33m\"«hunter2hunter2»\"\x1b[0m",
        "\x1b[33mpassword\x1b[0m=\x1b[32m'«hunter2hunter2»'\x1b[0m",
        "\x1b[36mapi_key\x1b[0m=\x1b[35m«Zf3D0LXCM3EIMbgJpUNn»\x1b[0m",
    ]);
}

#[test]
fn records_of_several_lines() {
    holds(&[
        "Traceback (most recent call last):\n  File \"a.py\", line 3, in login\n    connect(password=\"«hunter2hunter2»\")\nValueError: refused",
        "ERROR login failed\n  user: ines\n  password: «hunter2hunter2»\n  attempts: 3",
        "Exception in thread main java.lang.IllegalStateException: password=«hunter2hunter2»\n\tat a.b.C.d(C.java:10)\n",
        "request:\r\nAuthorization: Bearer «mF_9.B5f-4.1JqM»\r\nAccept: */*\r\n",
        "╭─── locals ───╮\n│ password = '«hunter2hunter2»' │\n│ n = 3        │\n╰──────────────╯",
    ]);
}

#[test]
fn numbers_without_a_bracket_that_opens() {
    holds(&[
        "hidden «(0.1234, -0.4561, 0.7892, 1.2343, -2.3454, 3.4565, 0.1116, 0.2227)»",
        "ids=«(151644, 872, 198, 3838, 374, 279, 6722, 315, 9625)»",
        "       «0.54881350, 0.71518937, 0.60276338, 0.54488318, 0.42365480»,\n",
        "       «0.54881350, 0.71518937, 0.60276338, 0.54488318, 0.42365480]»)\n",
        "«0.1234, -0.4561, 0.7892, 1.2343, -2.3454, 3.4565, 0.1116, 0.2227]», dtype=float32)",
        "1763692660,512,1024,2048,13,7,12.5,200,81,4,9.75\n",
        "step 100, loss 2.345, lr 1.000e-05, 1.234 it/s, 123.4 tok/s, 3.210 GB, 12.5, 13.5\n",
        "cpu 12.5, 13.5, 14.5, 15.5, 16.5, 17.5, 18.5, 19.5, 20.5\n",
        "shape (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)",
    ]);
}
