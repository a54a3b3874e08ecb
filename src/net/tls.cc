#include "net/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "net/authorities.h"

namespace assay {
namespace {

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
struct SslDeleter {
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
};

std::string openssl_reason() {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* reason = ::ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown reason";
}

/// Whether OpenSSL finds authorities by itself: where the environment says, or where the system
/// that it was made for keeps them. A library that was carried to another system does not.
bool has_authorities_of_its_own() {
  if (std::getenv(::X509_get_default_cert_file_env()) != nullptr) return true;
  if (std::getenv(::X509_get_default_cert_dir_env()) != nullptr) return true;
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(::X509_get_default_cert_file(), error)) return true;
  return fs::directory_iterator(::X509_get_default_cert_dir(), error) != fs::directory_iterator();
}

void trust_authorities(SSL_CTX* context) {
  if (has_authorities_of_its_own()) {
    ::SSL_CTX_set_default_verify_paths(context);
  } else if (const auto file = find_authorities()) {
    ::SSL_CTX_load_verify_file(context, file->c_str());
  }
}

/// One for the process: loading the authorities costs milliseconds.
SSL_CTX* shared_context() {
  static const std::unique_ptr<SSL_CTX, ContextDeleter> context = [] {
    std::unique_ptr<SSL_CTX, ContextDeleter> made(::SSL_CTX_new(::TLS_client_method()));
    if (made) {
      ::SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
      trust_authorities(made.get());
      ::SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
      ::SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
    }
    return made;
  }();
  return context.get();
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  return ::inet_pton(AF_INET, host.c_str(), buffer.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), buffer.data()) == 1;
}

}  // namespace

struct TlsClient::State {
  std::unique_ptr<SSL, SslDeleter> ssl;
  BIO* in = nullptr;   // Owned by ssl.
  BIO* out = nullptr;  // Owned by ssl.
};

TlsClient::TlsClient() : state_(std::make_unique<State>()) {}
TlsClient::~TlsClient() = default;

Result<std::unique_ptr<TlsClient>> TlsClient::create(const std::string& host) {
  std::unique_ptr<TlsClient> client(new TlsClient());
  State& s = *client->state_;
  if (shared_context() != nullptr) s.ssl.reset(::SSL_new(shared_context()));
  if (!s.ssl) return fail(Errc::kIo, fmt::format("cannot set up TLS: {}", openssl_reason()));
  SSL* ssl = s.ssl.get();
  s.in = ::BIO_new(::BIO_s_mem());
  s.out = ::BIO_new(::BIO_s_mem());
  ::SSL_set_bio(ssl, s.in, s.out);
  ::SSL_set_connect_state(ssl);
  if (is_address(host)) {
    ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), host.c_str());
  } else {
    ::SSL_set_tlsext_host_name(ssl, host.c_str());
    ::SSL_set1_host(ssl, host.c_str());
  }
  return client;
}

Result<bool> TlsClient::handshake() {
  SSL* ssl = state_->ssl.get();
  ::ERR_clear_error();
  const int done = ::SSL_do_handshake(ssl);
  if (done == 1) return true;
  const int why = ::SSL_get_error(ssl, done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  const long verdict = ::SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) {
    return fail(
        Errc::kProtocol,
        fmt::format("the server's certificate is not accepted: {}",
                    ::X509_verify_cert_error_string(verdict)),
        "add the authority to the system's certificates (package ca-certificates), or name it "
        "in SSL_CERT_FILE");
  }
  return fail(Errc::kProtocol, fmt::format("the TLS handshake failed: {}", openssl_reason()));
}

Result<void> TlsClient::encrypt(std::string_view plain) {
  while (!plain.empty()) {
    size_t written = 0;
    ::ERR_clear_error();
    if (::SSL_write_ex(state_->ssl.get(), plain.data(), plain.size(), &written) != 1) {
      return fail(Errc::kIo, fmt::format("TLS cannot encrypt: {}", openssl_reason()));
    }
    plain.remove_prefix(written);
  }
  return {};
}

void TlsClient::put_incoming(std::string_view cipher) {
  while (!cipher.empty()) {  // A memory BIO takes everything unless memory runs out.
    const int taken = ::BIO_write(state_->in, cipher.data(), static_cast<int>(cipher.size()));
    if (taken <= 0) return;
    cipher.remove_prefix(static_cast<size_t>(taken));
  }
}

Result<void> TlsClient::decrypt(std::string& plain) {
  std::array<char, 16384> block;
  for (;;) {
    size_t got = 0;
    ::ERR_clear_error();
    const int ok = ::SSL_read_ex(state_->ssl.get(), block.data(), block.size(), &got);
    if (ok == 1) {
      plain.append(block.data(), got);
      continue;
    }
    const int why = ::SSL_get_error(state_->ssl.get(), ok);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
    if (why == SSL_ERROR_ZERO_RETURN)
      return fail(Errc::kUnavailable, "the peer closed the TLS stream");
    return fail(Errc::kProtocol, fmt::format("TLS cannot decrypt: {}", openssl_reason()));
  }
}

std::string TlsClient::take_outgoing() {
  std::string bytes(::BIO_ctrl_pending(state_->out), '\0');
  if (!bytes.empty()) ::BIO_read(state_->out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace assay
