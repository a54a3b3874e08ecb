#include "mock/wall_time.h"

#include <cstring>
#include <ctime>

namespace assay {

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kWidth = 27;

tm utc(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  tm parts{};
  ::gmtime_r(&time, &parts);
  return parts;
}

}  // namespace

void put_wall_time(char* out, int64_t wall_ns) {
  // Thousands of lines a second share their first 20 characters.
  thread_local int64_t known_second = -1;
  thread_local char prefix[32];
  const int64_t second = wall_ns / kSecond;
  if (second != known_second) {
    const tm parts = utc(second);
    std::strftime(prefix, sizeof prefix, "%Y-%m-%dT%H:%M:%S.", &parts);
    known_second = second;
  }
  std::memcpy(out, prefix, 20);
  int64_t micros = wall_ns % kSecond / 1000;
  for (size_t i = kWidth - 2; i >= 20; --i) {
    out[i] = static_cast<char>('0' + micros % 10);
    micros /= 10;
  }
  out[kWidth - 1] = 'Z';
}

std::string wall_time_text(int64_t wall_ns) {
  std::string text(kWidth, ' ');
  put_wall_time(text.data(), wall_ns);
  return text;
}

std::string http_date(int64_t wall_ns) {
  const tm parts = utc(wall_ns / kSecond);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

}  // namespace assay
