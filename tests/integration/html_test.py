"""The HTML and JUnit reports as files: well formed, alone, in size, and the same each time."""
import html.parser
import json
import re
import unittest
import xml.etree.ElementTree

from assay_support import AssayTest

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Collects what the page is made of; `faults` names ends that close nothing."""

    def __init__(self, text):
        super().__init__()
        self.open, self.faults, self.attributes, self.ids = [], [], [], []
        self.headings, self.data, self.in_data = [], "", False
        self.feed(text)
        self.close()
        self.faults += [f"{tag} stays open" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "script":
            self.in_data = True
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")
        self.in_data = False

    def handle_data(self, data):
        if self.in_data:
            self.data += data


class Reports(AssayTest):
    def setUp(self):
        super().setUp()
        mock = self.mock("--ttft", "20ms", "--gap", "2ms", "--tokens", "40")
        self.run_prompt(mock.url, "-r", "25", "--max-concurrency", "4", "-o", "run.html",
                        "-o", "run.xml")
        self.text = (self.work / "run.html").read_text(encoding="utf-8")

    def test_is_well_formed_and_needs_nothing_else(self):
        page = Page(self.text)
        self.assertEqual(page.faults, [])
        self.assertNotIn("://", self.text)
        for tag, name, value in page.attributes:
            self.assertNotIn(name, ("src", "srcset", "data", "action", "onclick", "onload"), tag)
            if name in ("href", "xlink:href"):
                self.assertTrue(value.startswith("#"), value)
                self.assertIn(value[1:], page.ids)
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertLess(len(self.text.encode()), 150_000)

    def test_can_be_heard(self):
        page = Page(self.text)
        self.assertEqual(page.headings[0], 1)
        for before, after in zip(page.headings, page.headings[1:]):
            self.assertLessEqual(after, before + 1)
        self.assertIn('lang="en"', self.text)
        for figure in re.findall(r"<svg[^>]*class=\"(?:plot|row)\"[^>]*>", self.text):
            self.assertRegex(figure, "aria-label=|aria-hidden=|height=\"20\"")
        self.assertEqual(self.text.count("<table"), self.text.count("<caption>"))

    def test_holds_the_json_report(self):
        data = json.loads(Page(self.text).data)
        self.assertEqual(data["schema"], "assay.run/1")
        self.assertEqual(data["legs"][0]["ok"], 25)

    def test_is_the_same_again(self):
        self.assay("report", "last", "-o", self.work / "again.html")
        self.assertEqual((self.work / "again.html").read_text(encoding="utf-8"), self.text)

    def test_junit_is_xml(self):
        root = xml.etree.ElementTree.parse(self.work / "run.xml").getroot()
        self.assertEqual((root.tag, root.get("tests"), root.get("failures")),
                         ("testsuites", "1", "0"))
        self.assertEqual(len(root.findall("testsuite/testcase")), 1)


if __name__ == "__main__":
    unittest.main()
