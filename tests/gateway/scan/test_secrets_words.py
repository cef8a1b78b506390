"""Passwords, user names and connection strings: what labels give away, and what they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.scan.recognised import findings_in, found_in


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ('password = "lun4Rossa_Treno"', "lun4Rossa_Treno"),
        ("{'password': 'Dol9hin!'}", "Dol9hin!"),
        ("password=letmein", "letmein"),
        ("DB_PASSWORD=Oak7Leaf", "Oak7Leaf"),
        ("the wifi password is hunter2.", "hunter2"),
        ("Passwort laut Ticket: Wolkenbruch#77. Bitte", "Wolkenbruch#77"),
        ("Mi contraseña es Gatito#99", "Gatito#99"),
        ("mon mot de passe : Soleil2024!", "Soleil2024!"),
        ("a senha é Flor3sta", "Flor3sta"),
        ("hasłem ZimowyZubr!31 do", "ZimowyZubr!31"),
        ("パスワードは Sakura#88 です", "Sakura#88"),
        ("密码是 Qwer!234", "Qwer!234"),
        ("пароль: Zima2024!", "Zima2024!"),
        ("PIN 804417, and", "804417"),
        ("mysql -h db -p'Kum-Quat_808' sales", "Kum-Quat_808"),
        ("docker login r.example.com -p t0psecret-Magnolia_9", "t0psecret-Magnolia_9"),
        ("curl -u ci:Oak7Leaf https://example.com", "Oak7Leaf"),
    ],
)
def test_passwords_are_found_behind_their_word(text, password):
    """In code, files, command lines and the prose of many languages."""
    assert ("PASSWORD", password) in found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "password reset-link, password policy; the password is required",
        "const password = process.env.DB_PASSWORD;",
        "password: str = Field(...)",
        "password: ${DB_PASSWORD}, password ********",
        '<input type="password" name="pwd" placeholder="Enter password">',
        "if user.password == hashed_password: return True",
        "password = getpass.getpass()",
        "pass-through entities, pin-shaped fins, SM3密码杂凑算法",
        "PWD=/srv/app ; USER=root",
        "postgres://user:password@localhost/db, https://user:pass@example.com/",
        "user = User.objects.get(id=4)",
        "user: hello there\nassistant: hi",
        "userId = json.id; on o.user_id = u.id",
        "redis://localhost:6379, https://example.com:8443/a",
        "Server=sql02;Database=Payroll;Trusted_Connection=True",
    ],
)
def test_talk_about_passwords_and_code_that_reads_one_are_left_alone(text):
    """Placeholders, types, rules and sentences."""
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Failed password for invalid user kgrimaldi from 203.0.113.77", "kgrimaldi"),
        ("sudo: bjorkman : TTY=pts/3", "bjorkman"),
        ('{"user":"h.sorensen"}', "h.sorensen"),
        ("usuario=lucia.barr", "lucia.barr"),
        ("username is pixel_otter92", "pixel_otter92"),
        ("Account Name: CORP\\hdelgado.", "CORP\\hdelgado"),
        ("bind cn=svc-ldap,ou=apps", "svc-ldap"),
        ("Het wachtwoord van svc_backup is Stroopwafel_4ever", "svc_backup"),
        ("docker login r.example.com -u builder01 -p x", "builder01"),
    ],
)
def test_user_names_are_found_in_logs_files_and_prose(text, name):
    """Not the common names of accounts that are nobody's."""
    assert ("USERNAME", name) in found_in(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("postgres://rw:tq8-Lumen!44@db1.example.com:5432/orders", "CONNECTION_STRING"),
        ("mongodb://a:S3cret@10.1.1.4:27017,10.1.1.5:27017/db?x=rs0", "CONNECTION_STRING"),
        ("jdbc:oracle:thin:hr/Quarry#6@//ora7.example.com:1521/HRPROD", "CONNECTION_STRING"),
        (
            "Server=sql02;Database=Pay;User Id=app;Password=Orchid!88;Encrypt=True",
            "CONNECTION_STRING",
        ),
        ("Data Source=tcp:db,1433;User ID=crm;Password=Heather&Slate71;", "CONNECTION_STRING"),
        ("https://ci-bot:w9Qh-dune-88@git.example.com/billing.git", "URL_WITH_CREDENTIALS"),
        ("smb://scanner:Paper7Tray@nas01.example.com/inbox", "URL_WITH_CREDENTIALS"),
    ],
)
def test_a_string_that_opens_a_service_is_one_finding(text, kind):
    """The whole of it, although it holds a password, a host and an address."""
    assert found_in(f'x = "{text}" fails') == [(kind, text)]


@given(st.text("pasword=:;\"' -uU@/1.(){}\\n\n", max_size=200))
def test_any_text_behind_a_label_is_read(text):
    """No error, and nothing outside the text."""
    whole = f"password{text} user{text}"

    assert all(0 <= one.start < one.end <= len(whole) for one in findings_in(whole))
