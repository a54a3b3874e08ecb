#include "base/page_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace assay {

Result<double> page_cache_share(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(Errc::kNotFound, fmt::format("{} cannot be opened", name));
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0 && info.st_size > 0;
  // Without the right to write, Linux calls every page resident.
  const bool tells = ::access(path.c_str(), W_OK) == 0;
  const auto size = static_cast<size_t>(std::max<off_t>(info.st_size, 1));
  void* map = known && tells ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  ::close(fd);
  if (!known) return fail(Errc::kNotFound, fmt::format("{} is empty", name));
  if (map == MAP_FAILED) {
    return fail(Errc::kUnavailable,
                fmt::format("the kernel does not tell what it holds of {}", name));
  }
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((size + page - 1) / page);
  const bool told = ::mincore(map, size, resident.data()) == 0;
  ::munmap(map, size);
  if (!told) {
    return fail(Errc::kUnavailable,
                fmt::format("the kernel does not tell what it holds of {}", name));
  }
  const auto there = std::count_if(resident.begin(), resident.end(),
                                   [](unsigned char flags) { return (flags & 1) != 0; });
  return static_cast<double>(there) / static_cast<double>(resident.size());
}

}  // namespace assay
