import unittest

import check_coroutines


def lines(text):
    return [line for line, _ in check_coroutines.check_text(text)]


class CoroutinesTest(unittest.TestCase):
    def test_plain_awaits_pass(self):
        for text in (
            "auto r = co_await engine.call(request, on_event);",
            "co_await timer.async_wait(as_tuple(use_awaitable));",
            "co_return co_await next(parts[i], names[0], table()[k]);",
            "if (co_await probe()) { go(); }",
            "while (const auto n = co_await read(socket)) {\n  use(n);\n}",
            "for (const auto& m : co_await models()) { use(m); }",
            "if (auto r = co_await probe(); !r) { stop(); }",
            "co_spawn(loop, [x]() -> Task<void> { co_await run(x); }, detached);",
            "const auto all = Pair{co_await first(), co_await second()};",
            "auto task = f([p] { use(p); });\nco_await std::move(task);",
            "while (co_await more()) [[likely]] { step(); }",
        ):
            self.assertEqual([], lines(text), text)

    def test_braces_inside_an_await_are_found(self):
        self.assertEqual([1], lines("co_await f(Options{p});"))
        self.assertEqual([1], lines("co_await f({p});"))
        self.assertEqual([1], lines("if (co_await f(X{p})) { go(); }"))
        self.assertEqual([3], lines("co_await f(\n    first,\n    X{p});"))
        self.assertEqual([1], lines("g(co_await f(), X{p});"))

    def test_lambdas_inside_an_await_are_found(self):
        self.assertEqual([2], lines("co_await f(a,\n    [p] { return p; });"))
        self.assertEqual([1], lines("co_await f([&](int i) -> int { return i; });"))
        self.assertEqual([1], lines("co_await f(x = [] { return 1; });"))

    def test_bindings_on_an_await_are_found(self):
        self.assertEqual([1], lines("auto [a, b] = co_await f();"))
        self.assertEqual([1], lines("const auto& [a,\n  b] = co_await f();"))
        self.assertEqual([], lines("const auto r = co_await f();\nconst auto& [a, b] = r;"))

    def test_comments_and_strings_are_not_code(self):
        for text in (
            "// co_await f({p});",
            "/* co_await\n f({p}); */",
            'log("co_await f({p});");',
            'auto s = R"(co_await f({p});)";',
            'co_await say("{");',
            "co_await say('{', 1'000);",
        ):
            self.assertEqual([], lines(text), text)

    def test_each_finding_has_its_own_line(self):
        self.assertEqual([2, 4], lines("\nco_await f({1});\nco_await g();\nco_await h({2});"))


if __name__ == "__main__":
    unittest.main()
