"""schemathesis: whatever the schema allows, and what it does not, is answered as it promises, and no request fails.

The first run sends what the types allow, whether the descriptions allow it or not, and requests that break the schema;
they must be refused. The second sends what the descriptions allow, too: it must be accepted.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

URL, TOKEN = os.environ["VEXT_TEST_URL"], os.environ["VEXT_TEST_TOKEN"]
RUNS = [
    # What is out of range is refused with BAD_USER_INPUT: the types say less than the descriptions.
    ("", ["--mode", "all", "--exclude-checks", "positive_data_acceptance"]),
    ("1", ["--mode", "positive"]),
]
FOLDER = Path(__file__).parent / "properties"
COMMAND = [Path(sys.executable).with_name("schemathesis"), "run", URL, "--header", f"Authorization: Bearer {TOKEN}"]
COMMAND += ["--phases", "fuzzing", "--seed", "20", "--max-examples", os.environ.get("VEXT_TEST_EXAMPLES", "5")]
COMMAND += ["--generation-database", "none", "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all"]

# The judge first: an answer that breaks the contract is seen to break it.
judge = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", FOLDER / "test_contract.py"]
subprocess.run(judge, check=True)
with TemporaryDirectory() as scratch:
    for sensible, arguments in RUNS:
        hooks = {"PYTHONPATH": str(FOLDER), "SCHEMATHESIS_HOOKS": "hooks", "VEXT_TEST_SENSIBLE": sensible}
        run = subprocess.run([*COMMAND, *arguments], env={**os.environ, **hooks}, cwd=scratch)
        if run.returncode != 0:
            sys.exit(run.returncode)
