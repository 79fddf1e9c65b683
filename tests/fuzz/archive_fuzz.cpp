#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "adapters/archive/archives.hpp"
#include "adapters/archive/ignore_file.hpp"
#include "adapters/archive/paths.hpp"
#include "adapters/archive/source_tree.hpp"
#include "base/text.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace slipway::archive {
namespace {

constexpr ArchiveLimits kLimits{.entries = 100, .bytes = 1 << 20, .depth = 32, .meta_bytes = 64 * 1024};

// --- tars to begin with ---

void put(std::string& block, std::size_t at, std::string_view value) {
  block.replace(at, value.size(), value);
}

void sum(std::string& tar, std::size_t at) {
  tar.replace(at + 148, 8, "        ");
  unsigned all = 0;
  for (std::size_t i = 0; i < 512; ++i) all += static_cast<unsigned char>(tar[at + i]);
  tar.replace(at + 148, 7, fmt::format("{:06o}", all) + '\0');
}

std::string entry(std::string_view path, std::string_view data = {}, char type = '0',
                  std::string_view target = {}) {
  std::string block(512, '\0');
  put(block, 0, path.substr(0, 100));
  put(block, 100, "0000644");
  put(block, 108, "0000000");
  put(block, 116, "0000000");
  put(block, 124, fmt::format("{:011o}", data.size()));
  put(block, 136, "00000000001");
  block[156] = type;
  put(block, 157, target);
  put(block, 257, std::string_view("ustar\00000", 8));
  sum(block, 0);
  block += data;
  block.resize((block.size() + 511) / 512 * 512, '\0');
  return block;
}

std::string tar(const std::string& entries) {
  return entries + std::string(1024, '\0');
}

std::vector<std::string> corpus() {
  const std::string meta = entry("service.yaml", "name: a\n");
  std::string odd_owner = tar(meta);  // taken once, while libarchive and Python refuse it
  put(odd_owner, 108,
      "00\x1b"
      "0000");
  sum(odd_owner, 0);
  return {
      odd_owner,
      tar(meta + entry("main.py", "print()")),
      tar(entry("top/", "", '5') + entry("top/service.yaml", "name: a\n") + entry("top/sub/x", "x")),
      tar(meta + entry("x", "21 path=long/name/f\n", 'x') + entry("short", "data")),
      tar(meta + entry("././@LongLink", std::string("another/long/name\0", 18), 'L') +
          entry("short", "data")),
      tar(meta + entry("a", "one") + entry("b", "", '1', "a") + entry("l", "", '2', "a")),
      tar(meta + entry("g", "19 comment=commit\n", 'g') + entry("d/e/f", std::string(700, 'f'))),
      tar(meta + entry(".dockerignore", "*.log\n!keep.log\n") + entry("a.log", "x") + entry("keep.log", "y")),
      tar(entry("service.json", "{\"name\": \"a\"}") + entry(".git/config", "x") + entry("key.pem", "x")),
      tar(meta + entry("x", "10 size=4\n", 'x') + entry("sized", "data")),
  };
}

// Check sums of what looks like a header are made right mostly: else nothing but check sums would be tested.
void mend(std::string& tar, fuzz::Dice& dice) {
  if (dice.below(4) != 0) tar.resize((tar.size() + 511) / 512 * 512, '\0');
  for (std::size_t at = 0; at + 512 <= tar.size(); at += 512) {
    if (std::string_view(tar).substr(at + 257, 5) != "ustar") continue;
    constexpr std::size_t kFields[] = {0, 100, 124, 156, 157, 257, 345};
    if (dice.below(6) == 0)
      tar[at + kFields[dice.below(7)] + dice.below(11)] = static_cast<char>(dice.next());
    if (dice.below(16) != 0) sum(tar, at);
  }
}

// --- what libarchive, the reader of bsdtar, sees ---

struct Seen {
  std::string path;
  bool file = false;
  std::string bytes;
};

// Nothing if a name has no text form in this locale.
std::optional<std::vector<Seen>> seen_by_libarchive(const std::string& bytes, std::string& error) {
  const std::unique_ptr<::archive, int (*)(::archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_none(reader.get());
  std::vector<Seen> all;
  int code = archive_read_open_memory(reader.get(), bytes.data(), bytes.size());
  for (::archive_entry* entry = nullptr; code == ARCHIVE_OK || code == ARCHIVE_WARN;) {
    code = archive_read_next_header(reader.get(), &entry);
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) break;
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) name = archive_entry_pathname(entry);
    if (name == nullptr) return std::nullopt;
    const bool linked =
        archive_entry_hardlink(entry) != nullptr || archive_entry_hardlink_utf8(entry) != nullptr;
    Seen one{name, archive_entry_filetype(entry) == AE_IFREG && !linked, {}};
    if (one.file && archive_entry_size(entry) <= static_cast<la_int64_t>(kLimits.bytes)) {
      one.bytes.resize(static_cast<std::size_t>(archive_entry_size(entry)));
      std::size_t have = 0;
      for (la_ssize_t count = 1; count > 0 && have < one.bytes.size();
           have += static_cast<std::size_t>(count))
        if (count = archive_read_data(reader.get(), one.bytes.data() + have, one.bytes.size() - have);
            count < 0) {
          code = ARCHIVE_FATAL;
          break;
        }
    }
    all.push_back(std::move(one));
  }
  if (code != ARCHIVE_EOF)
    error = archive_error_string(reader.get()) ? archive_error_string(reader.get()) : "?";
  return all;
}

// A18: the same list as other readers', or none.
void compare(const std::string& bytes, const Source& source) {
  std::string error;
  const auto seen = seen_by_libarchive(bytes, error);
  if (!seen) return;
  EXPECT_EQ(error, "") << "libarchive cannot read what we took";
  std::map<std::string, std::string> theirs;
  for (const auto& one : *seen)
    if (one.file) theirs[clean_path(one.path, kLimits.depth).value_or("?" + one.path)] = one.bytes;
  std::string top;
  if (!theirs.contains(source.meta_name) && !theirs.empty())
    top = theirs.begin()->first.substr(0, theirs.begin()->first.find('/') + 1);
  const auto rules_at = theirs.find(top + ".dockerignore");
  const IgnoreRules rules(rules_at == theirs.end() ? "" : rules_at->second);
  std::size_t files = 0;
  for (const auto& [path, content] : theirs) {
    ASSERT_TRUE(path.starts_with(top)) << path;
    const std::string inside = path.substr(top.size());
    if (inside == ".dockerignore" || fate_of(inside, rules) != Fate::kKept) continue;
    ++files;
    const auto ours = make_archives()->read_file(source.tar, inside);
    ASSERT_TRUE(ours) << "libarchive sees '" << shown(path) << "', we do not";
    EXPECT_EQ(*ours, content) << shown(path);
  }
  const auto linked = std::ranges::count_if(*seen, [](const Seen& one) { return !one.file; });
  EXPECT_LE(source.file_paths().size(), files + static_cast<std::size_t>(linked))
      << "we see more than libarchive";
}

void check(const std::string& bytes) {
  BytesInMemory input(bytes);
  const auto source = make_archives()->read_source(input, kLimits);
  if (!source) {
    const Error& error = source.error();
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << to_string(error);
    EXPECT_TRUE(error.code.starts_with("archive.") || error.code.starts_with("meta.")) << error.code;
    EXPECT_FALSE(error.hint.empty()) << to_string(error);
    EXPECT_FALSE(find_invalid_utf8(to_string(error))) << escape_for_people(to_string(error));
    return;
  }
  std::uint64_t all = 0;
  for (const auto& one : source->entries) {
    EXPECT_EQ(clean_path(one.path, kLimits.depth).value_or("refused"), one.path);
    if (one.kind == SourceEntry::Kind::kLink) {
      EXPECT_TRUE(check_link(one.path, one.target)) << one.path;
    }
    all += one.size;
  }
  EXPECT_LE(all, kLimits.bytes);
  BytesInMemory canonical(source->tar);
  const auto again = make_archives()->read_source(canonical, kLimits);
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->digest, source->digest);
  const bool packed = bytes.starts_with("\x1f\x8b") || bytes.starts_with("\x28\xb5\x2f\xfd");
  if (!packed) compare(bytes, *source);
}

TEST(Fuzz, A18_an_archive_is_refused_or_gives_the_list_that_other_readers_give) {
  fuzz::run({.name = "archive",
             .corpus = corpus(),
             .words = {std::string(512, '\0'),
                       std::string(1024, '\0'),
                       "../",
                       "/",
                       "./",
                       "//",
                       "\\",
                       ":",
                       "a/../b",
                       "00000000000",
                       "77777777777",
                       "\x80\x00\x00\x00",
                       "\xff\xff\xff\xff",
                       "12 path=a/b\n",
                       "11 size=10\n",
                       "19 GNU.sparse.a=1\n",
                       "16 linkpath=a/b\n",
                       "ustar  ",
                       "é",
                       "\u202e",
                       "service.yaml",
                       "service.json",
                       ".dockerignore",
                       "Dockerfile",
                       entry("x", "more"),
                       entry("l", "", '2', ".."),
                       entry("h", "", '1', "x"),
                       entry("top/y", "y")},
             .rounds = 30'000,
             .check = check,
             .mend = mend});
}

}  // namespace
}  // namespace slipway::archive
