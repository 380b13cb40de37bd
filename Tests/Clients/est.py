"""Many EST devices at once (RFC 7030): standard input holds one JSON object, standard output its answer.

Reads: url, root (file), common_name, credentials (pairs of user name and password), count (requests in all),
threads, same (one request sent by all), until (a stream until that file is there, instead of a count).
Request n uses credential n modulo their number.
Writes: answers, each with at (seconds), status (0: no answer), retry_after, request.
"""

import base64
import http.client
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse

import certification


class Crowd:
    def __init__(self, spec):
        self.spec = spec
        self.target = urllib.parse.urlsplit(spec["url"])
        self.tls = ssl.create_default_context(cafile=spec["root"])
        self.answers, self.lock, self.start = [], threading.Lock(), time.monotonic()
        wanted = 1 if spec.get("same") else spec.get("count", 32)
        self.requests = [self.request() for _ in range(wanted)]
        self.barrier = threading.Barrier(spec["threads"])

    def request(self):
        der = certification.request(certification.key("p256"), self.spec)
        return base64.b64encode(der)

    def send(self, number):
        user, password = self.spec["credentials"][number % len(self.spec["credentials"])]
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Content-Type": "application/pkcs10", "Authorization": "Basic " + basic}
        answer = {"at": time.monotonic() - self.start, "status": 0}
        connection = http.client.HTTPSConnection(self.target.netloc, timeout=40, context=self.tls)
        try:
            body = self.requests[number % len(self.requests)]
            connection.request("POST", self.target.path, body, headers)
            response = connection.getresponse()
            received = response.read().decode()
            answer |= {"status": response.status, "retry_after": response.getheader("Retry-After")}
            if match := re.search(r"request ([0-9a-f-]{36})", received):
                answer["request"] = match[1]
            if response.status == 200:
                answer["certificates"] = received
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        with self.lock:
            self.answers.append(answer)

    def work(self, first):
        self.barrier.wait()
        number = first
        while self.goes_on(number):
            self.send(number)
            number += self.spec["threads"]
            if "until" in self.spec:
                time.sleep(0.05)

    def goes_on(self, number):
        if "until" in self.spec:
            return not os.path.exists(self.spec["until"])
        return number < self.spec["count"]

    def run(self):
        threads = [threading.Thread(target=self.work, args=(n,)) for n in range(self.spec["threads"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"answers": sorted(self.answers, key=lambda answer: answer["at"])}


json.dump(Crowd(json.load(sys.stdin)).run(), sys.stdout)
