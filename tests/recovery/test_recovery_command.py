"""What an operator reads when the command itself cannot go on."""

from recovery.__main__ import main
from recovery.engine import Engine


def test_without_the_cli_one_sentence_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == 1
    assert capsys.readouterr() == ("", "error: `pulumi` is not on PATH.\n")


def test_an_interruption_is_one_sentence(monkeypatch, capsys):
    def interrupted(engine):
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "export", interrupted)
    assert main([]) == 130
    said = "Interrupted; run it again, then `pulumi refresh`.\n"
    assert capsys.readouterr() == ("", said)
