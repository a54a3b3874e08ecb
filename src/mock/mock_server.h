#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "mock/options.h"
#include "mock/stats.h"

namespace assay {

/// The mock engine on a thread of its own, for unit tests and benches. All methods may be called
/// from any thread but the server's.
class MockServer {
 public:
  /// Listening when it returns. kInvalidArgument for options out of range or a script it cannot
  /// read, kConflict for a taken port.
  static Result<std::unique_ptr<MockServer>> start(MockOptions options);

  MockServer(const MockServer&) = delete;
  MockServer& operator=(const MockServer&) = delete;
  /// Stops.
  ~MockServer();

  /// `http://127.0.0.1:PORT`
  [[nodiscard]] std::string base_url() const;
  [[nodiscard]] uint16_t port() const;
  /// Another port, where every connection is reset as soon as it is made.
  [[nodiscard]] std::string reset_url() const;
  [[nodiscard]] uint16_t reset_port() const;

  /// A copy of the counters, as of now.
  [[nodiscard]] MockStats stats() const;

  /// Closes every connection and waits for the thread. A second call does nothing.
  void stop();

 private:
  struct State;
  explicit MockServer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

/// `assay mock-server`: serves until SIGINT or SIGTERM. The first line on stdout, flushed, is
/// `{"listening":"http://127.0.0.1:PORT","reset":"http://127.0.0.1:PORT2"}`. Returns the exit code:
/// 0, or 1 with a sentence on stderr (2 for options out of range). Call it before other threads are
/// started: it blocks both signals for the process.
int run_mock_server(MockOptions options);

}  // namespace assay
