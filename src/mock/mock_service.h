#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "mock/behaviour.h"
#include "mock/call.h"
#include "mock/model_table.h"
#include "mock/options.h"
#include "mock/pacer.h"
#include "mock/slot_queue.h"
#include "mock/stats.h"
#include "mock/stream_plan.h"
#include "net/http_connection.h"
#include "net/http_server.h"
#include "net/task.h"

namespace assay {

/// The mock engine behind its HTTP server: every route, on the server's thread.
class MockService {
 public:
  MockService(boost::asio::io_context& io, MockOptions options,
              std::map<std::string, std::string> script);
  MockService(const MockService&) = delete;
  MockService& operator=(const MockService&) = delete;
  ~MockService() = default;

  /// Answers one request. Everything it waits for ends when the connection closes.
  Task<void> handle(const ServedRequest& request, HttpConnection& connection);

  [[nodiscard]] const MockOptions& options() const { return options_; }
  MockStats& stats() { return stats_; }
  ModelTable& models() { return models_; }
  /// vLLM's sleep mode.
  void set_asleep(bool asleep) { asleep_ = asleep; }
  [[nodiscard]] bool asleep() const { return asleep_; }

  /// A request as it came, for those who compare what was sent with what was meant.
  struct SeenRequest {
    std::string method, target, body;
  };
  /// The last kMostSeen, oldest first, without those for the counters.
  [[nodiscard]] const std::deque<SeenRequest>& seen() const { return seen_; }
  static constexpr size_t kMostSeen = 64;
  static constexpr size_t kMostSeenBytes = 64 << 10;  ///< Of one body; the rest is cut off.

 private:
  void remember(const ServedRequest& request);
  Task<void> generate(Api api, const ServedRequest& request, HttpConnection& connection);
  /// True when the request was dealt with: refused, reset, or left without an answer.
  Task<bool> refuse(const Call& call, const Behaviour& behaviour, HttpConnection& connection);
  /// Remembers with what settings a call has its model loaded.
  void note_load(const Call& call);
  Task<void> load_only(const Call& call, HttpConnection& connection);
  Task<void> answer(const Call& call, const Behaviour& behaviour, HttpConnection& connection);
  /// Nothing when the context does not hold the prompt.
  std::optional<StreamPlan> plan_answer(const Call& call, const Behaviour& behaviour, MonoNs start);
  [[nodiscard]] std::string error_body(Api api, int status, std::string_view message) const;

  const MockOptions options_;
  const std::map<std::string, std::string> script_;
  MockStats stats_;
  ModelTable models_;
  Pacer pacer_;
  SlotQueue slots_;
  uint64_t answers_ = 0;
  bool asleep_ = false;
  std::deque<SeenRequest> seen_;
};

}  // namespace assay
