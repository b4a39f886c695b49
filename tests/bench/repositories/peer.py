"""git http-backend behind nginx, as people set it up, on the same disk."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

BACKEND = "/usr/lib/git-core/git-http-backend"
CONFIG = """\
daemon off;
pid {root}/nginx.pid;
error_log {root}/nginx.log;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
  client_max_body_size 0;
  fastcgi_read_timeout 300;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      fastcgi_pass unix:{root}/fcgi.sock;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROJECT_ROOT {root}/repositories;
      fastcgi_param PATH_INFO $uri;
      fastcgi_param REMOTE_USER candidate;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HOME /nonexistent;
    }}
  }}
}}
"""


def missing():
    """Debian packages that are not there."""
    programs = {"nginx-light": "/usr/sbin/nginx", "fcgiwrap": "/usr/sbin/fcgiwrap"}
    return [package for package, path in programs.items()
            if not pathlib.Path(path).exists()]


class Peer:
    def __init__(self, root, children=4):
        self.root = root
        (root / "repositories").mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = root / "nginx.conf"
        config.write_text(CONFIG.format(root=root, port=self.port, backend=BACKEND))
        self.wrap = subprocess.Popen(
            ["/usr/sbin/fcgiwrap", "-c", str(children), "-s",
             f"unix:{root}/fcgi.sock"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        self.wait(root / "fcgi.sock")
        (root / "fcgi.sock").chmod(0o777)
        # As this user: what root makes, nginx's own could not write.
        self.nginx = subprocess.Popen(
            ["/usr/sbin/nginx", "-c", config, "-g", "user root;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        self.wait(root / "nginx.pid")

    @staticmethod
    def wait(path):
        give_up = time.monotonic() + 10
        while not path.exists() and time.monotonic() < give_up:
            time.sleep(0.01)

    def clone(self, source, name):
        """A repository as an attempt's is: it borrows from its template."""
        path = self.root / "repositories" / (name + ".git")
        subprocess.run(["git", "clone", "-q", "--bare", "--shared", source, path],
                       check=True, capture_output=True)
        for key, value in {"http.receivepack": "true", "core.fsync": "all",
                           "receive.autogc": "false", "gc.auto": "0",
                           "receive.unpackLimit": "1",
                           "receive.fsckObjects": "true"}.items():
            subprocess.run(["git", "-C", path, "config", key, value], check=True)
        return path

    def close(self):
        # Their children, too: fcgiwrap leaves them to themselves.
        for program in (self.nginx, self.wrap):
            os.killpg(program.pid, signal.SIGTERM)
            program.wait()
        shutil.rmtree(self.root, ignore_errors=True)
