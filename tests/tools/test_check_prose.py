import unittest

import check_prose


def lines(text, name="docs/a.md"):
    return [line for line, _ in check_prose.check_text(name, text)]


class ProseTest(unittest.TestCase):
    def test_paths_of_one_machine_are_found(self):
        for text in ("see /work/x", "in /root/.cache", "/home/ann/assay", "../shared/a", '"/work"'):
            self.assertEqual([1], lines(text), text)

    def test_ordinary_paths_pass(self):
        for text in ("a/work/b", "$HOME/work", "/workspace", "/usr/root", "/rooted", "net/work.h",
                     "$XDG_DATA_HOME/assay", "/home directories", "https://example.org/work"):
            self.assertEqual([], lines(text), text)

    def test_unfinished_marks_are_found(self):
        self.assertEqual([1, 3], lines("TODO: more\nmktemp assay.XXXXXX\n// FIXME"))

    def test_download_addresses_count_in_lock_files_only(self):
        text = '  "resolved": "x"'
        self.assertEqual([1], lines(text, "engine/package-lock.json"))
        self.assertEqual([], lines(text, "docs/formats/a.json"))


if __name__ == "__main__":
    unittest.main()
