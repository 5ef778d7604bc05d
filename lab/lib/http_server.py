"""Serves a folder to the lab's hosts: http_server.py FOLDER ADDRESS PORT.

Python's own server, with a queue long enough for a fleet that asks all at once, and without
"not modified" answers: an index that is published anew may carry any time stamp.
"""

import functools
import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def send_head(self):
        del self.headers["If-Modified-Since"]
        return super().send_head()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    folder, address, port = sys.argv[1:]
    Server((address, int(port)), functools.partial(Handler, directory=folder)).serve_forever()
