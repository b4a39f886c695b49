#!/usr/bin/env python3
"""Plans and suites in a bucket that goes away and comes back."""

import subprocess
import threading
import time
import unittest

from bucket import KEYS, Bucket
from installation import BIN, TINY_APP, Installation, environment

class BlobsTest(unittest.TestCase):
    def test_a_push_waits_for_a_bucket_that_is_away(self):
        assay = Installation(worker=False)
        self.addCleanup(assay.close)
        assay.server.stop()
        bucket = Bucket(assay.root / "s3")
        self.addCleanup(bucket.stop)
        assay.options, assay.variables = bucket.options, KEYS
        assay.start_server()
        assay.start_worker()
        assay.assignment("tiny")
        self.assertEqual(bucket.objects(), 2)
        candidate = assay.candidate("tiny")
        candidate.commit({"app.py": TINY_APP})

        bucket.stop()
        # A start needs no bucket, and nothing of it is in memory then.
        assay.server.kill()
        assay.start_server()
        said = []
        push = threading.Thread(target=lambda: said.append(candidate.push()))
        push.start()
        log = assay.root / "assayd.log"
        deadline = time.monotonic() + 60
        while (log.read_text().count("what the run needs could not be prepared")
               < 4 and time.monotonic() < deadline):
            time.sleep(0.1)
        self.assertTrue(push.is_alive(), (said, assay.logs()))
        refused = assay.run("assignment", "create", assay.root
                            / "assignment-tiny", "--id", "other", expect=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("s3://blobs/e2e", refused.stderr)
        self.assertIn("does not answer", refused.stderr)

        bucket.start()
        push.join(60)
        self.assertFalse(push.is_alive())
        self.assertIn("Details: ", said[0])
        run = candidate.pushed_run()
        self.assertEqual(run["outcome"], "OUTCOME_COMPLETED", run)
        # More leases than would have made it a loss for a person to look at.
        self.assertGreater(int(run["epoch"]), 3)

        # The same by `assay admin`, which is another program.
        assay.server.stop()
        done = subprocess.run(
            [BIN / "assay", "--data-dir", assay.data, "admin", "fsck",
             *bucket.options], env=environment(**KEYS), capture_output=True,
            text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("2 blobs", done.stdout)
        moved = subprocess.run(
            [BIN / "assay", "--data-dir", assay.data, "admin", "migrate-blobs",
             "--to", "local", *bucket.options[2:]], env=environment(**KEYS),
            capture_output=True, text=True)
        self.assertIn("copied 2 blobs", moved.stdout, moved.stderr)
        assay.options, assay.variables = (), None
        assay.start_server()
        self.assertIn("Tiny", assay.run("assignment", "show", "tiny").stdout)


if __name__ == "__main__":
    unittest.main()
