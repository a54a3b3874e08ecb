#include "store/writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/channel.h"
#include "base/check.h"
#include "base/text.h"
#include "model/json.h"

namespace assay {
namespace {

constexpr std::chrono::milliseconds kIdleWait{1000};
constexpr size_t kMaxLogLineBytes = 4000;

/// A file beside the ledger: opened when the first line comes, written before the ledger.
struct SideFile {
  std::filesystem::path path;
  std::string pending;
  std::optional<AppendFile> file;

  Result<void> write(const FileCalls& calls) {
    if (pending.empty()) return {};
    if (!file) {
      auto opened = AppendFile::open(path, AppendFile::Open::kEither, calls);
      if (!opened) return fail(opened.error());
      file.emplace(std::move(*opened));
    }
    if (auto put = file->append(pending); !put) return put;
    pending.clear();
    return {};
  }
};

/// Syncs by name, so that flush() can do it without the writer thread's descriptors.
Result<void> sync_if_there(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return {};
  if (!fd.valid() || ::fdatasync(fd.get()) != 0) {
    return fail(Errc::kIo, fmt::format("cannot sync {}: {}", path.string(), errno_text(errno)));
  }
  return {};
}

}  // namespace

struct RunWriter::Impl {
  Impl(LedgerFile file, WriterOptions settings)
      : options(std::move(settings)), queue(options.queue_entries), ledger(std::move(file)) {
    const std::filesystem::path directory = ledger.path().parent_path();
    responses.path = directory / "responses.jsonl";
    events.path = directory / "events.jsonl";
    telemetry.path = directory / "telemetry.jsonl";
    log.path = directory / "run.log";
  }

  // ---- any thread ----
  const WriterOptions options;
  Channel<WriterEntry> queue;
  std::atomic<int64_t> acknowledged{0};

  std::mutex mutex;  ///< Guards the members down to `outcome`.
  std::condition_variable changed;
  int64_t queued = 0;   ///< Entries ever pushed.
  int64_t settled = 0;  ///< Of those: durable, or written where that is all that is asked.
  int flushers = 0;     ///< Threads in flush(): nobody waits for company then.
  bool stopping = false;
  bool retry_wanted = false;
  bool finished = false;
  std::optional<Error> held_by;  ///< Why the thread waits for retry().
  Result<void> outcome;

  std::mutex join_mutex;  ///< Guards `thread` once it runs.
  std::thread thread;

  // ---- writer thread ----
  LedgerFile ledger;
  SideFile responses;
  SideFile events;
  SideFile telemetry;
  SideFile log;
  std::string ledger_text;    ///< Lines that are not durable yet.
  int64_t ledger_lines = 0;   ///< In ledger_text.
  int64_t ledger_calls = 0;   ///< Of those: call records.
  int64_t batch_entries = 0;  ///< Taken from the queue and not settled.

  void run();
  void gather();
  void format(WriterEntry& entry);
  Result<void> commit();
  bool commit_or_hold();
  void settle();
  void give_up(const Error& why);
};

void RunWriter::Impl::run() {
  ::pthread_setname_np(::pthread_self(), "writer");
  bool gave_up = false;
  while (!gave_up && !queue.finished()) {
    std::vector<WriterEntry> entries = queue.pop_all(kIdleWait);
    if (entries.empty()) continue;
    gather();
    std::vector<WriterEntry> company = queue.pop_all(std::chrono::milliseconds(0));
    std::move(company.begin(), company.end(), std::back_inserter(entries));
    for (WriterEntry& entry : entries) format(entry);
    batch_entries += static_cast<int64_t>(entries.size());
    gave_up = !commit_or_hold();
  }
  const std::lock_guard lock(mutex);
  finished = true;
  changed.notify_all();
}

/// Waits for more entries, so that one sync serves them all.
void RunWriter::Impl::gather() {
  std::unique_lock lock(mutex);
  changed.wait_for(lock, options.gather, [this] { return flushers > 0 || stopping; });
}

void RunWriter::Impl::format(WriterEntry& entry) {
  const auto add_line = [](std::string& to, std::string_view line) {
    ASSAY_CHECK(line.find('\n') == std::string_view::npos);
    to += line;
    to += '\n';
  };
  switch (entry.kind) {
    case WriterEntry::Kind::kLedger:
      ++ledger_lines;
      if (const auto* record = std::get_if<CallRecord>(&entry.body)) {
        ++ledger_calls;
        add_line(ledger_text, call_line(*record));
      } else {
        add_line(ledger_text, std::get<std::string>(entry.body));
      }
      return;
    case WriterEntry::Kind::kResponse:
      add_line(responses.pending, response_line(std::get<ResponseText>(entry.body)));
      return;
    case WriterEntry::Kind::kEvent:
      add_line(events.pending, std::get<std::string>(entry.body));
      return;
    case WriterEntry::Kind::kTelemetry:
      add_line(telemetry.pending, std::get<std::string>(entry.body));
      return;
    case WriterEntry::Kind::kLog:
      add_line(log.pending,
               fmt::format("{} {}", utc_text(entry.wall_ns),
                           printable(std::get<std::string>(entry.body), kMaxLogLineBytes)));
      return;
  }
}

/// Brings everything pending to disk. Each file's pending text is dropped when that file has it,
/// so that a second try after a failure writes nothing twice.
Result<void> RunWriter::Impl::commit() {
  for (SideFile* side : {&responses, &events, &telemetry, &log}) {
    if (auto put = side->write(ledger.calls()); !put) return put;
  }
  if (ledger_text.empty()) return {};
  if (auto put = ledger.append(ledger_text); !put) return put;
  return ledger.sync();  // Cuts the appended lines off again when it fails.
}

void RunWriter::Impl::settle() {
  const int64_t calls = std::exchange(ledger_calls, 0);
  ledger_text.clear();
  ledger_lines = 0;
  if (calls > 0) {
    const int64_t total = acknowledged.fetch_add(calls) + calls;
    if (options.on_durable) options.on_durable(total);
  }
  const std::lock_guard lock(mutex);
  settled += std::exchange(batch_entries, 0);
  held_by.reset();
  changed.notify_all();
}

/// False when the writer was stopped and the last try failed too.
bool RunWriter::Impl::commit_or_hold() {
  for (;;) {
    bool last_try = false;
    {
      const std::lock_guard lock(mutex);
      last_try = stopping;
      retry_wanted = false;
    }
    const auto done = commit();
    if (done) {
      settle();
      return true;
    }
    if (last_try) {
      give_up(done.error());
      return false;
    }
    {
      const std::lock_guard lock(mutex);
      held_by = done.error();
      changed.notify_all();
    }
    if (options.on_error) options.on_error(done.error());
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return retry_wanted || stopping; });
    held_by.reset();
  }
}

void RunWriter::Impl::give_up(const Error& why) {
  int64_t lost = ledger_lines;
  for (const WriterEntry& entry : queue.pop_all(std::chrono::milliseconds(0))) {
    if (entry.kind == WriterEntry::Kind::kLedger) ++lost;
  }
  Error error = why;
  if (lost > 0) error.message += fmt::format("; {} ledger lines are lost", lost);
  {
    const std::lock_guard lock(mutex);
    outcome = fail(error);
  }
  if (options.on_error) options.on_error(error);
}

RunWriter::RunWriter(LedgerFile ledger, WriterOptions options)
    : impl_(std::make_unique<Impl>(std::move(ledger), std::move(options))) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

RunWriter::~RunWriter() { (void)stop(); }

bool RunWriter::push(WriterEntry entry) {
  // One lock around both, so that flush() never counts an entry that is not in the queue yet.
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->queue.try_push(std::move(entry))) return false;
  ++impl_->queued;
  return true;
}

bool RunWriter::record(CallRecord record) {
  return push({WriterEntry::Kind::kLedger, std::move(record), 0});
}
bool RunWriter::ledger_line(std::string line) {
  return push({WriterEntry::Kind::kLedger, std::move(line), 0});
}
bool RunWriter::response(ResponseText response) {
  return push({WriterEntry::Kind::kResponse, std::move(response), 0});
}
bool RunWriter::event(std::string line) {
  return push({WriterEntry::Kind::kEvent, std::move(line), 0});
}
bool RunWriter::telemetry(std::string line) {
  return push({WriterEntry::Kind::kTelemetry, std::move(line), 0});
}
bool RunWriter::log(std::string text) {
  return push({WriterEntry::Kind::kLog, std::move(text), wall_now_ns()});
}

int64_t RunWriter::acknowledged() const { return impl_->acknowledged.load(); }

Result<void> RunWriter::flush(Nanos timeout) {
  {
    std::unique_lock lock(impl_->mutex);
    const int64_t target = impl_->queued;
    ++impl_->flushers;
    impl_->changed.notify_all();
    impl_->changed.wait_for(lock, timeout, [&] {
      return impl_->settled >= target || impl_->held_by || impl_->finished;
    });
    --impl_->flushers;
    if (impl_->settled < target) {
      if (impl_->held_by) return fail(*impl_->held_by);
      if (!impl_->outcome) return impl_->outcome;
      return fail(Errc::kTimeout, fmt::format("{} entries were not on the disk after {}",
                                              target - impl_->settled, duration_text(timeout)));
    }
  }
  for (const SideFile* side : {&impl_->responses, &impl_->telemetry}) {
    if (auto synced = sync_if_there(side->path); !synced) return synced;
  }
  return sync_if_there(impl_->log.path);
}

void RunWriter::retry() {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->held_by) return;
  impl_->held_by.reset();  // A flush() that follows waits for the new try.
  impl_->retry_wanted = true;
  impl_->changed.notify_all();
}

Result<void> RunWriter::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->queue.close();
    impl_->changed.notify_all();
  }
  {
    const std::lock_guard lock_thread(impl_->join_mutex);
    if (impl_->thread.joinable()) {
      impl_->thread.join();
      for (const SideFile* side : {&impl_->responses, &impl_->telemetry, &impl_->log}) {
        auto synced = sync_if_there(side->path);
        const std::lock_guard lock_outcome(impl_->mutex);
        if (!synced && impl_->outcome) impl_->outcome = std::move(synced);
      }
    }
  }
  const std::lock_guard lock(impl_->mutex);
  return impl_->outcome;
}

}  // namespace assay
