#include "adapters/archive/byte_sources.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "base/text.hpp"

namespace slipway::archive {

Result<std::size_t> DigestingSource::read(std::span<char> buffer) {
  SLIPWAY_ASSIGN(const std::size_t count, inner_.read(buffer));
  if (count > left_)
    return invalid("archive.too_large", "the archive is larger than sources may be",
                   "list what is not needed in .dockerignore");
  left_ -= count;
  digest_.update({buffer.data(), count});
  return count;
}

Result<std::string> DigestingSource::finish() {
  std::array<char, 16 * 1024> rest{};
  for (;;) {
    SLIPWAY_ASSIGN(const std::size_t count, read(rest));
    if (count == 0) return digest_.hex();
  }
}

struct Unpacked::State {
  struct Close {
    void operator()(::archive* reader) const { archive_read_free(reader); }
  };
  ByteSource& packed;
  std::array<char, 64 * 1024> buffer{};
  std::optional<Error> error{};  // of `packed`, while libarchive only knows that reading failed
  std::unique_ptr<::archive, Close> reader{};
  bool opened = false;

  Error failed() const {
    if (error) return *error;
    const char* text = archive_error_string(reader.get());
    return invalid(
        "archive.corrupt",
        fmt::format("the archive cannot be unpacked: {}", escape_for_people(text == nullptr ? "" : text)),
        "pack it again: tar, plain or with gzip or zstd");
  }

  static la_ssize_t more(::archive* reader, void* self, const void** bytes) {
    auto& state = *static_cast<State*>(self);
    auto count = state.packed.read(state.buffer);
    if (!count) {
      state.error = count.error();
      archive_set_error(reader, EIO, "reading failed");
      return -1;
    }
    *bytes = state.buffer.data();
    return static_cast<la_ssize_t>(*count);
  }
};

Unpacked::Unpacked(ByteSource& packed) : state_(new State{.packed = packed}) {
  ::archive* reader = archive_read_new();
  state_->reader.reset(reader);
  // "raw": the one thing inside the compression, whatever it is. Tar itself is read by tar_reader.
  archive_read_support_format_raw(reader);
  archive_read_support_format_empty(reader);
  archive_read_support_filter_gzip(reader);
  archive_read_support_filter_zstd(reader);
}

Unpacked::~Unpacked() = default;

Status Unpacked::open() {
  ::archive* reader = state_->reader.get();
  ::archive_entry* entry = nullptr;
  if (archive_read_open(reader, state_.get(), nullptr, State::more, nullptr) != ARCHIVE_OK)
    return state_->failed();
  const int found = archive_read_next_header(reader, &entry);
  if (found == ARCHIVE_EOF)
    return invalid("archive.corrupt", "the archive is empty", "pack the folder of the service");
  if (found != ARCHIVE_OK) return state_->failed();
  state_->opened = true;
  return {};
}

Result<std::size_t> Unpacked::read(std::span<char> buffer) {
  if (!state_->opened) SLIPWAY_TRY(open());
  const la_ssize_t count = archive_read_data(state_->reader.get(), buffer.data(), buffer.size());
  if (count < 0) return state_->failed();
  return static_cast<std::size_t>(count);
}

}  // namespace slipway::archive
