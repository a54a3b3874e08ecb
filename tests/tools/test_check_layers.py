import tempfile
import unittest
from pathlib import Path

import check_layers


class LayersTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return check_layers.check(root)

    def test_lower_rows_and_the_own_folder_pass(self):
        self.assertEqual([], self.findings({
            "src/main.cc": '#include "cli/commands.h"\n#include "run/jobs.h"\n',
            "src/run/jobs.cc": '#include "run/jobs.h"\n#include "store/ledger.h"\n#include <vector>\n',
            "src/store/ledger.h": '#include "model/run.h"\n',
        }))

    def test_a_higher_row_is_named_with_file_line_and_both_layers(self):
        found = self.findings({"src/model/run.h": '#pragma once\n\n#include "store/ledger.h"\n'})
        self.assertEqual(1, len(found))
        self.assertTrue(found[0].startswith("src/model/run.h:3: model (row 1)"), found[0])
        self.assertIn("store (row 3, a higher row)", found[0])

    def test_the_same_row_is_refused_but_for_the_engine_interface(self):
        found = self.findings({
            "src/load/load.cc": '#include "engines/engine.h"\n#include "engines/ollama.h"\n',
        })
        self.assertEqual(1, len(found))
        self.assertIn("src/load/load.cc:2:", found[0])
        self.assertIn("the same row", found[0])

    def test_gguf_uses_base_only(self):
        found = self.findings({
            "src/gguf/a.cc": '#include "base/text.h"\n#include "model/run.h"\n',
        })
        self.assertEqual(1, len(found))
        self.assertIn("gguf may only use base, not model", found[0])

    def test_unknown_folders_and_bare_names_are_refused(self):
        found = self.findings({
            "src/extra/a.h": "",
            "src/base/b.h": '#include "../model/run.h"\n#include "text.h"\n',
        })
        self.assertEqual(3, len(found))

    def test_comments_do_not_count(self):
        self.assertEqual([], self.findings({
            "src/base/a.h": '// #include "run/jobs.h"\n/*\n#include "run/jobs.h"\n*/\n',
        }))

    def test_slow_headers_stay_out_of_headers(self):
        slow = ["<boost/beast/http.hpp>", "<boost/beast.hpp>", "<nlohmann/json.hpp>"]
        text = "".join(f"#include {name}\n" for name in slow)
        self.assertEqual(3, len(self.findings({"src/net/a.h": text})))
        self.assertEqual([], self.findings({
            "src/net/a.cc": text,
            "src/net/b.h": "#include <nlohmann/json_fwd.hpp>\n",
        }))

    def test_files_over_the_limit_fail(self):
        limit = check_layers.MAX_LINES
        found = self.findings({
            "src/base/fits.cc": "\n" * limit,
            "src/base/long.cc": "\n" * (limit + 1),
            "engine/node_modules/a/long.mjs": "\n" * (limit + 1),
        })
        self.assertEqual([f"src/base/long.cc:{limit + 1}: over {limit} lines: split it by idea"], found)


if __name__ == "__main__":
    unittest.main()
