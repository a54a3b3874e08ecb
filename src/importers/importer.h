#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "importers/source.h"
#include "model/run.h"

namespace assay {

/// What the caller says of a file, over what stands in it.
struct ImportHints {
  std::string model;   ///< Empty: as the file says.
  std::string engine;  ///< Engine kind; empty: what the tool measures.
};

/// A foreign result as a run: a plan, a record for each call that the file tells of, and what the
/// tool reports itself. Run id, times of the import and the file's name are the caller's to fill.
struct ImportedRun {
  RunMeta meta;  ///< With `imported`; started_wall_ns is 0 when the file does not tell.
  std::vector<CallRecord> calls;
  std::optional<double> wall_s;
};

/// A kind of foreign file. Adding one is a file and a line in the table of builtin.cc.
struct Importer {
  std::string_view name;     ///< As in --format.
  std::string_view summary;  ///< The file it reads, in a few words.
  /// Whether the text has the shape that only this tool writes.
  bool (*fits)(const ImportText&) = nullptr;
  /// kProtocol names the line or entry and the member that is wrong.
  Result<ImportedRun> (*read)(const ImportText&, const ImportHints&) = nullptr;
};

/// llama-bench, ollama-verbose, guidellm, vllm-bench, aiperf, openai-batch.
std::span<const Importer> importers();

/// The largest file that is read: its JSON is held in memory, at several times its size.
inline constexpr int64_t kMaxImportBytes = 256 << 20;
/// Calls and reported figures that are taken from one file.
inline constexpr size_t kMaxImportedCalls = 1'000'000;
inline constexpr size_t kMaxReportedFigures = 400;

/// Reads a file's content as the kind named by `format`, or as the kind whose shape it has when
/// that is empty. kInvalidArgument when there is no such kind or none fits, kProtocol when the
/// content is damaged. Fills everything of ImportSource but `file`.
Result<ImportedRun> import_text(std::string text, std::string_view format,
                                const ImportHints& hints);

// The kinds, one file each.
bool fits_llama_bench(const ImportText& source);
Result<ImportedRun> read_llama_bench(const ImportText& source, const ImportHints& hints);
bool fits_ollama_verbose(const ImportText& source);
Result<ImportedRun> read_ollama_verbose(const ImportText& source, const ImportHints& hints);
bool fits_guidellm(const ImportText& source);
Result<ImportedRun> read_guidellm(const ImportText& source, const ImportHints& hints);
bool fits_vllm_bench(const ImportText& source);
Result<ImportedRun> read_vllm_bench(const ImportText& source, const ImportHints& hints);
bool fits_aiperf(const ImportText& source);
Result<ImportedRun> read_aiperf(const ImportText& source, const ImportHints& hints);
bool fits_openai_batch(const ImportText& source);
Result<ImportedRun> read_openai_batch(const ImportText& source, const ImportHints& hints);

}  // namespace assay
