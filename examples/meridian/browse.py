#!/usr/bin/python3
"""Reads a page of the portal as text: browse.py URL [FIELD=VALUE]"""
import html.parser
import sys
import urllib.parse
import urllib.request


class Text(html.parser.HTMLParser):
    BLOCKS = {"p", "h1", "h2", "h3", "li", "dt", "dd", "tr", "div", "section", "header", "footer", "form", "br"}

    def __init__(self):
        super().__init__()
        self.lines, self.hidden = [""], 0

    def handle_starttag(self, tag, attributes):
        self.hidden += tag in ("style", "head")
        if tag in self.BLOCKS:
            self.lines.append("- " if tag == "li" else "")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "head")
        if tag in self.BLOCKS:
            self.lines.append("")

    def handle_data(self, data):
        if not self.hidden:
            self.lines[-1] += " ".join(data.split()) + (" " if data[-1:].isspace() else "")


def main():
    fields = urllib.parse.urlencode([tuple(word.split("=", 1)) for word in sys.argv[2:]]).encode()
    with urllib.request.urlopen(sys.argv[1], data=fields or None, timeout=10) as answer:
        text = Text()
        text.feed(answer.read().decode())
    for line in text.lines:
        if line.strip(" -"):
            print(line.strip())


main()
