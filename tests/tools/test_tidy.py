import unittest

import tidy


class TidyTest(unittest.TestCase):
    def test_findings_keep_their_notes(self):
        output = ("a.h:1:2: error: first [x]\n  code\n  ^\na.h:1:2: note: why\n"
                  "b.h:3:4: error: second [y]\n")
        found = tidy.findings_of(output)
        self.assertEqual(2, len(found))
        self.assertIn("note: why", found[0])
        self.assertEqual("".join(found), output)


if __name__ == "__main__":
    unittest.main()
