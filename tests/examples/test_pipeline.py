"""The example of pipelines runs, and says what it should."""

import re
import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "pipeline.py"
NUMBER = r"(-?\d+\.\d+)"


def test_pipeline(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out = capsys.readouterr().out
    settings = re.findall(rf"^ +(8|32) +(no|yes) +{NUMBER} +{NUMBER}$", out, re.MULTILINE)
    assert [setting[:2] for setting in settings] == [("8", "no"), ("32", "no"), ("8", "yes"), ("32", "yes")]
    assert max(float(skill) for *_, skill, _ in settings) > 0
    day = re.findall(rf"^2013-\S+ \S+ +{NUMBER} +{NUMBER}$", out, re.MULTILINE)
    assert len(day) == 6
    assert all(abs(float(forecast) - float(came)) < 10 for forecast, came in day)  # both in degrees Fahrenheit
    skills = dict(re.findall(rf"^(last value|seasonal naive|linear \(ridge\)) +{NUMBER}$", out, re.MULTILINE))
    assert len(skills) == 3
    assert float(skills["linear (ridge)"]) > float(skills["last value"])
