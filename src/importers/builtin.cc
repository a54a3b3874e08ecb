#include <fmt/format.h>

#include <array>

#include "base/ids.h"
#include "base/text.h"
#include "importers/importer.h"

namespace assay {
namespace {

constexpr std::array kImporters{
    Importer{"llama-bench", "llama-bench -o json, jsonl or csv", fits_llama_bench,
             read_llama_bench},
    Importer{"ollama-verbose", "what `ollama run --verbose` prints, once or several times",
             fits_ollama_verbose, read_ollama_verbose},
    Importer{"guidellm", "GuideLLM's benchmarks.json", fits_guidellm, read_guidellm},
    Importer{"vllm-bench", "vllm bench serve --save-result --save-detailed", fits_vllm_bench,
             read_vllm_bench},
    Importer{"aiperf", "AIPerf's profile_export.jsonl or profile_export_aiperf.json", fits_aiperf,
             read_aiperf},
    Importer{"openai-batch", "a batch's output file, JSONL", fits_openai_batch, read_openai_batch},
};

std::string names() {
  std::string names;
  for (const Importer& importer : kImporters) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", importer.name);
  }
  return names;
}

Result<const Importer*> choose(const ImportText& source, std::string_view format) {
  for (const Importer& importer : kImporters) {
    if (format.empty() ? importer.fits(source) : importer.name == format) return &importer;
  }
  if (!format.empty()) {
    return fail(Errc::kInvalidArgument,
                fmt::format("there is no import format '{}'", printable(format, 40)),
                "formats are " + names());
  }
  if (!source.fault().empty()) return fail(Errc::kProtocol, source.fault());
  return fail(Errc::kInvalidArgument, "it has the shape of no result that can be imported",
              "--format names one of " + names());
}

}  // namespace

std::span<const Importer> importers() { return kImporters; }

Result<ImportedRun> import_text(std::string text, std::string_view format,
                                const ImportHints& hints) {
  std::string sha256 = sha256_hex(text);
  const ImportText source(std::move(text));
  const auto importer = choose(source, format);
  if (!importer) return fail(importer.error());
  if (!source.fault().empty()) return fail(Errc::kProtocol, source.fault());
  auto run = (*importer)->read(source, hints);
  if (!run) return run;
  ImportSource& from = *run->meta.imported;
  from.tool = (*importer)->name;
  from.sha256 = std::move(sha256);
  run->meta.suite = from.tool;
  return run;
}

}  // namespace assay
