"""What users see of training."""

from tsrnn.training.progress import CompileNotice, write_line


def test_compilation_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    lines = []
    notice = CompileNotice(lines.append)
    assert not lines
    notice("nn.recurrent.forward")
    notice("nn.recurrent.backward")
    assert lines == [f"Compiling kernels for this processor (once; kept in {tmp_path}) ..."]


def test_that_nothing_is_kept_is_told(monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", "off")
    lines = []
    CompileNotice(lines.append)("nn.recurrent.forward")
    why = "switched off by TSRNN_CACHE_DIR=off"
    assert lines == [f"Compiling kernels for this processor (anew in each process: {why}) ..."]


def test_lines_go_to_standard_error(capfd):
    write_line("a line")
    assert capfd.readouterr() == ("", "a line\n")
