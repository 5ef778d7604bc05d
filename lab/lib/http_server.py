"""Serves a folder to the lab's hosts: http_server.py FOLDER ADDRESS PORT.

A host for which FOLDER/broken/ITS-ADDRESS says "gone" finds no folder "canopsis"; one for which it says
"signature" finds in its place what is in "canopsis-unknown-key". Of both a host may have its own,
"canopsis-ITS-ADDRESS" and "canopsis-unknown-key-ITS-ADDRESS".

Python's own server, with a queue long enough for a fleet that asks all at once, and without
"not modified" answers: an index that is published anew may carry any time stamp.
"""

import functools
import http.server
import os
import sys

REPOSITORY = "canopsis"
SIGNED_BY_ANOTHER = "canopsis-unknown-key"


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def send_head(self):
        del self.headers["If-Modified-Since"]
        if self.path.startswith(f"/{REPOSITORY}/"):
            repository = REPOSITORY
            match self.fault():
                case "gone":
                    self.send_error(404)
                    return None
                case "signature":
                    repository = SIGNED_BY_ANOTHER
            self.path = f"/{self.own(repository)}/" + self.path.removeprefix(f"/{REPOSITORY}/")
        return super().send_head()

    def own(self, repository):
        own = f"{repository}-{self.client_address[0]}"
        return own if os.path.isdir(os.path.join(self.directory, own)) else repository

    def fault(self):
        try:
            with open(os.path.join(self.directory, "broken", self.client_address[0])) as file:
                return file.read().strip()
        except FileNotFoundError:
            return None


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    folder, address, port = sys.argv[1:]
    Server((address, int(port)), functools.partial(Handler, directory=folder)).serve_forever()
