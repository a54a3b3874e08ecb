#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// The client side of one TLS connection, over memory: the caller moves the bytes, so that it can
/// stamp them. Verifies the server's certificate against the system's authorities (SSL_CERT_FILE
/// and SSL_CERT_DIR are honoured, else see authorities.h) and the host's name or address.
class TlsClient {
 public:
  /// kIo when OpenSSL cannot be set up.
  static Result<std::unique_ptr<TlsClient>> create(const std::string& host);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// One step of the handshake: true when it is complete. Then and before, take_outgoing() holds
  /// what must be sent. kProtocol with the reason when the server is not to be trusted.
  Result<bool> handshake();
  Result<void> encrypt(std::string_view plain);
  /// Hands over bytes that came from the network.
  void put_incoming(std::string_view cipher);
  /// Appends what can be decrypted now to `plain`. kUnavailable at the peer's orderly close.
  Result<void> decrypt(std::string& plain);
  std::string take_outgoing();

 private:
  TlsClient();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
