"""A second host for a test: a network namespace behind a pair of interfaces.
Needs root; without it, tests say so and are skipped."""

import os
import subprocess
import unittest


def sh(*command):
    subprocess.run([str(c) for c in command], check=True, capture_output=True)


class OtherHost:
    def __init__(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("network namespaces need root")
        number = os.getpid() % 250
        self.name = f"assay-{os.getpid()}"
        self.here, self.there = f"10.213.{number}.1", f"10.213.{number}.2"
        self.link = f"as{os.getpid() % 100000}"
        try:
            sh("ip", "netns", "add", self.name)
        except (OSError, subprocess.CalledProcessError) as error:
            raise unittest.SkipTest(f"no network namespace: {error}") from error
        try:
            sh("ip", "link", "add", self.link, "type", "veth", "peer", "name",
               "eth0", "netns", self.name)
            sh("ip", "addr", "add", f"{self.here}/24", "dev", self.link)
            sh("ip", "link", "set", self.link, "up")
            for command in (["addr", "add", f"{self.there}/24", "dev", "eth0"],
                            ["link", "set", "eth0", "up"],
                            ["link", "set", "lo", "up"]):
                sh("ip", "-n", self.name, *command)
        except BaseException:
            self.close()
            raise

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)

    def command(self, *arguments):
        """The same, run over there. `ip netns exec` would hide the cgroups."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *map(str, arguments)]
