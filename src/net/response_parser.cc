#include "net/response_parser.h"

#include <fmt/format.h>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/optional.hpp>

#include "base/text.h"

namespace assay {

namespace beast = boost::beast;
namespace http = beast::http;

std::string_view ResponseHead::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return {};
}

/// Beast's parser, handing body bytes straight on.
class ResponseParser::Impl : public http::basic_parser<false> {
 public:
  Impl() {
    constexpr uint32_t kMaxHeaderBytes = 64U << 10;
    eager(true);
    header_limit(kMaxHeaderBytes);
    body_limit(boost::none);
  }

  Result<void> take(std::string_view bytes, FunctionRef<void(std::string_view)> on_body) {
    sink_ = &on_body;
    // Beast wants what it did not use presented again, with more behind it.
    const bool carried = !carry_.empty();
    if (carried) carry_.append(bytes);
    if (carried && is_header_done() && chunked() && carry_.size() < kLeastChunk) return {};
    std::string_view input = carried ? std::string_view(carry_) : bytes;
    beast::error_code error;
    while (!input.empty() && !is_done()) {
      const size_t used = put({input.data(), input.size()}, error);
      input.remove_prefix(used);
      if (error == http::error::need_more) break;
      if (error || used == 0) break;
    }
    sink_ = nullptr;
    if (error && error != http::error::need_more) return protocol_error(error);
    std::string rest(is_done() ? std::string_view() : input);
    carry_.swap(rest);
    return {};
  }

  Result<void> end() {
    beast::error_code error;
    put_eof(error);
    if (error) return protocol_error(error);
    return {};
  }

  ResponseHead head;

 private:
  static Result<void> protocol_error(const beast::error_code& error) {
    return fail(Errc::kProtocol,
                fmt::format("the response is no valid HTTP/1.1: {}", error.message()));
  }

  void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                       beast::error_code&) override {}
  void on_response_impl(int code, beast::string_view, int, beast::error_code&) override {
    head.status = code;
  }
  void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                     beast::error_code&) override {
    head.headers.emplace_back(to_lower({name.data(), name.size()}),
                              std::string(value.data(), value.size()));
  }
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, beast::error_code&) override {
    (*sink_)({body.data(), body.size()});
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                 beast::error_code&) override {
    (*sink_)({body.data(), body.size()});
    return body.size();
  }
  void on_finish_impl(beast::error_code&) override {}

  // "0\r\n\r\n". Beast takes for granted that it is not asked again with less.
  static constexpr size_t kLeastChunk = 5;

  std::string carry_;
  FunctionRef<void(std::string_view)>* sink_ = nullptr;
};

ResponseParser::ResponseParser() : impl_(std::make_unique<Impl>()) {}
ResponseParser::~ResponseParser() = default;

Result<void> ResponseParser::feed(std::string_view bytes,
                                  FunctionRef<void(std::string_view)> on_body) {
  return impl_->take(bytes, on_body);
}
Result<void> ResponseParser::finish() { return impl_->end(); }
bool ResponseParser::head_done() const { return impl_->is_header_done(); }
bool ResponseParser::done() const { return impl_->is_done(); }
bool ResponseParser::keep_alive() const { return impl_->is_done() && impl_->keep_alive(); }
const ResponseHead& ResponseParser::head() const { return impl_->head; }

}  // namespace assay
