#include "adapters/archive/archives.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/digest.hpp"

namespace slipway::archive {
namespace {

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

// --- tars as nobody's library would write them ---

struct Raw {
  std::string path;
  std::string data = {};
  char type = '0';
  std::string target = {};
  std::string size = {};  // 12 bytes as they are, instead of the real size
  std::uint32_t mode = 0644;
  std::string prefix = {};
};

std::string block_of(const Raw& raw) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, std::string_view value) { block.replace(at, value.size(), value); };
  put(0, raw.path.substr(0, 100));
  put(100, fmt::format("{:07o}", raw.mode));
  put(108, "0000000");
  put(116, "0000000");
  put(124, raw.size.empty() ? fmt::format("{:011o}", raw.data.size()) : raw.size);
  put(136, "00000000001");
  put(148, "        ");
  block[156] = raw.type;
  put(157, raw.target.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  put(345, raw.prefix);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

std::string part_of(const Raw& raw) {
  std::string bytes = block_of(raw) + raw.data;
  bytes.resize((bytes.size() + 511) / 512 * 512, '\0');
  return bytes;
}

const std::string kEnd(1024, '\0');

std::string record(const std::string& key, const std::string& value) {
  std::string text = " " + key + "=" + value + "\n";
  std::size_t length = text.size() + 1;
  while (std::to_string(length).size() + text.size() != length)
    length = std::to_string(length).size() + text.size();
  return std::to_string(length) + text;
}

Raw pax(const std::string& records) {
  return {.path = "pax", .data = records, .type = 'x'};
}

std::string tar_of(const std::vector<Raw>& raws) {
  std::string tar;
  for (const auto& raw : raws) tar += part_of(raw);
  return tar + kEnd;
}

const Raw kMeta{.path = "service.yaml", .data = "name: a\n"};

std::string with_meta(std::vector<Raw> raws) {
  raws.insert(raws.begin(), kMeta);
  return tar_of(raws);
}

Result<Source> read(const std::string& tar, const ArchiveLimits& limits = {}) {
  BytesInMemory bytes(tar);
  return make_archives()->read_source(bytes, limits);
}

Source must_read(const std::string& tar) {
  auto source = read(tar);
  EXPECT_TRUE(source) << to_string(source.error());
  return source ? std::move(*source) : Source();
}

// --- what is refused (FAULTS, table A) ---

struct Row {
  const char* name;
  std::string tar;
  const char* code;
  const char* says = "";
};

std::string number(unsigned char first, std::uint64_t value) {
  std::string bytes(12, '\0');
  bytes[0] = static_cast<char>(first);
  for (std::size_t i = 0; i < 8; ++i) bytes[11 - i] = static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

std::vector<Row> refused() {
  const auto one = [](const std::string& path) { return with_meta({{.path = path, .data = "x"}}); };
  const auto link = [](const std::string& path, const std::string& target) {
    return with_meta({{.path = path, .type = '2', .target = target}});
  };
  const auto hard = [](std::vector<Raw> before, const std::string& target) {
    before.push_back({.path = "h", .type = '1', .target = target});
    return with_meta(before);
  };
  return {
      {"A01_up", one("../../etc/cron.d/x"), "archive.path_escape"},
      {"A01_absolute", one("/etc/cron.d/x"), "archive.path_escape"},
      {"A03_up_in_the_middle", one("a/../../b"), "archive.path_escape"},
      {"A03_up_after_dot", one("./../b"), "archive.path_escape"},
      {"A03_file_with_slash", one("a/"), "archive.ambiguous"},
      {"A03_same_after_cleaning", with_meta({{.path = "a//b"}, {.path = "a/./b"}}), "archive.name_collision"},
      {"A04_drive", one("C:\\x"), "archive.path_chars"},
      {"A04_backslash_up", one("..\\..\\x"), "archive.path_chars"},
      {"A04_share", one("\\\\srv\\x"), "archive.path_chars"},
      {"A04_stream", one("a:stream"), "archive.path_chars"},
      {"A06_through_a_link",
       with_meta({{.path = "d", .type = '2', .target = "sub"}, {.path = "d/x", .data = "x"}}),
       "archive.symlink_write_through"},
      {"A06_link_after_the_file",
       with_meta({{.path = "d/x", .data = "x"}, {.path = "d", .type = '2', .target = "sub"}}),
       "archive.symlink_write_through"},
      {"A06_absolute_link", link("l", "/etc/passwd"), "archive.link_escape"},
      {"A06_link_out", link("l", "../x"), "archive.link_escape"},
      {"A06_link_out_from_below", link("a/l", "../../x"), "archive.link_escape"},
      {"A06_link_out_by_another_link", link("a/l", "b/../../.."), "archive.link_escape"},
      {"A06_link_out_of_the_top_folder",
       tar_of({{.path = "top/service.yaml", .data = "x"}, {.path = "top/l", .type = '2', .target = "../x"}}),
       "archive.link_escape"},
      {"A06_empty_link", link("l", ""), "archive.link_escape"},
      {"A07_outside", hard({}, "/etc/passwd"), "archive.hardlink"},
      {"A07_later", with_meta({{.path = "h", .type = '1', .target = "x"}, {.path = "x"}}),
       "archive.hardlink"},
      {"A07_to_a_link", hard({{.path = "l", .type = '2', .target = "x"}}, "l"), "archive.hardlink"},
      {"A10_sparse", with_meta({{.path = "s", .type = 'S'}}), "archive.unsupported"},
      {"A10_sparse_pax", with_meta({pax(record("GNU.sparse.major", "1")), {.path = "s"}}),
       "archive.unsupported"},
      {"A10_multi_volume", with_meta({{.path = "s", .type = 'M'}}), "archive.unsupported"},
      {"A11_device", with_meta({{.path = "d", .type = '3'}}), "archive.special_file"},
      {"A11_pipe", with_meta({{.path = "d", .type = '6'}}), "archive.special_file"},
      {"A12_case", with_meta({{.path = "Readme"}, {.path = "README"}}), "archive.name_collision"},
      {"A12_case_of_a_folder", with_meta({{.path = "Lib/a"}, {.path = "lib/b"}}), "archive.name_collision"},
      {"A12_unicode_form", with_meta({{.path = "caf\u00e9"}, {.path = "cafe\u0301"}}),
       "archive.name_collision"},
      {"A12_twice", with_meta({{.path = "a"}, {.path = "a"}}), "archive.name_collision"},
      {"A12_file_and_folder", with_meta({{.path = "a"}, {.path = "a/b"}}), "archive.name_collision"},
      {"A13_newline", one("a\nb"), "archive.path_chars", "a\\x0ab"},
      {"A13_escape", one("a\x1b[1m"), "archive.path_chars", "\\x1b"},
      {"A13_nul", with_meta({pax(record("path", std::string("a\0b", 3))), {.path = "a"}}),
       "archive.path_chars"},
      {"A13_right_to_left", one("a\u202eb"), "archive.path_chars", "\\xe2\\x80\\xae"},
      {"A13_not_utf8", one("a\xff"), "archive.path_chars"},
      {"A13_300_bytes", with_meta({pax(record("path", repeated("x", 300))), {.path = "a"}}),
       "archive.path_chars"},
      {"A16_depth_5000", with_meta({pax(record("path", repeated("d/", 5000) + "x")), {.path = "a"}}),
       "archive.too_deep"},
      {"A18_two_sizes", with_meta({pax(record("size", "0")), {.path = "a", .data = repeated("x", 512)}}),
       "archive.ambiguous"},
      {"A18_pax_and_long_name",
       with_meta({pax(record("path", "b")), {.path = "l", .data = "c", .type = 'L'}, {.path = "a"}}),
       "archive.ambiguous"},
      {"A18_long_name_and_pax",
       with_meta({{.path = "l", .data = "c", .type = 'L'}, pax(record("path", "b")), {.path = "a"}}),
       "archive.ambiguous"},
      {"A18_name_twice", with_meta({pax(record("path", "b") + record("path", "c")), {.path = "a"}}),
       "archive.ambiguous"},
      {"A18_global_path", with_meta({{.path = "g", .data = record("path", "b"), .type = 'g'}, {.path = "a"}}),
       "archive.ambiguous"},
      {"A18_folder_with_data", with_meta({{.path = "a", .data = repeated("x", 512), .type = '5'}}),
       "archive.ambiguous"},
      {"A18_link_with_data",
       with_meta({{.path = "a", .data = repeated("x", 512), .type = '2', .target = "b"}}),
       "archive.ambiguous"},
      {"A18_more_after_the_end", with_meta({}) + with_meta({{.path = "hidden"}}), "archive.ambiguous"},
      {"A18_more_after_one_zero_block",
       part_of(kMeta) + std::string(512, '\0') + part_of({.path = "hidden"}) + kEnd, "archive.ambiguous"},
      {"A19_size_8_EiB", with_meta({{.path = "a", .size = number(0x80, 1ULL << 63)}}), "archive.corrupt"},
      {"A19_size_1_TiB", with_meta({{.path = "a", .size = number(0x80, 1ULL << 40)}}), "archive.corrupt"},
      {"A19_size_negative", with_meta({{.path = "a", .size = number(0xff, ~0ULL)}}), "archive.corrupt"},
      {"A19_size_overflows",
       with_meta({{.path = "a", .size = std::string("\x80\x01\0\0\0\0\0\0\0\0\0\0", 12)}}),
       "archive.corrupt"},
      {"A19_size_no_number", with_meta({{.path = "a", .size = "12345678xyz"}}), "archive.corrupt"},
      {"A19_size_beyond_the_end", with_meta({{.path = "a", .size = "00000100000"}}), "archive.corrupt",
       "cut off"},
      {"A19_long_name_of_4_GiB", with_meta({{.path = "a", .type = 'L', .size = "40000000000"}}),
       "archive.corrupt"},
      {"A19_too_large", with_meta({{.path = "a", .size = "07777777777"}}), "archive.too_large"},
      {"A19_pax_record_too_long", with_meta({pax("99 path=a\n"), {.path = "a"}}), "archive.corrupt"},
      {"A19_pax_record_without_length", with_meta({pax("path=a\n"), {.path = "a"}}), "archive.corrupt"},
      {"A19_pax_size_no_number", with_meta({pax(record("size", "-1")), {.path = "a"}}), "archive.corrupt"},
      {"A21_two_top_folders", tar_of({{.path = "a/service.yaml"}, {.path = "b/x"}}), "meta.not_found"},
      {"A21_two_levels", tar_of({{.path = "a/b/service.yaml"}}), "meta.not_found"},
      {"A20_no_entries", kEnd, "meta.not_found"},
      {"A20_empty", "", "archive.corrupt"},
      {"A20_text", "this is no archive", "archive.corrupt"},
      {"A20_zip", "PK\x03\x04" + repeated("x", 600), "archive.corrupt"},
      {"A20_half_gzip", "\x1f\x8b\x08", "archive.corrupt"},
      {"A20_no_end_mark", part_of(kMeta), "archive.corrupt"},
      {"A20_cut_in_a_header", with_meta({}).substr(0, 700), "archive.corrupt"},
      {"A20_checksum", std::string("X") + with_meta({}).substr(1), "archive.corrupt"},
      {"M52_both", with_meta({{.path = "service.json", .data = "{}"}}), "meta.ambiguous"},
      {"M52_none", tar_of({{.path = "main.py"}}), "meta.not_found", "service.json"},
      {"M52_other_case", tar_of({{.path = "Service.yaml"}}), "meta.not_found", "rename 'Service.yaml'"},
      {"M52_other_ending", tar_of({{.path = "service.yml"}}), "meta.not_found", "rename 'service.yml'"},
      {"M52_meta_is_a_link", tar_of({{.path = "service.yaml", .type = '2', .target = "x"}}),
       "meta.not_found"},
      {"M19_meta_too_long", tar_of({{.path = "service.yaml", .data = repeated("x", 70'000)}}),
       "meta.too_long"},
  };
}

class Refuses : public testing::TestWithParam<Row> {};

TEST_P(Refuses, with_code_and_words) {
  const auto source = read(GetParam().tar);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, GetParam().code) << to_string(source.error());
  EXPECT_EQ(source.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(to_string(source.error()).contains(GetParam().says)) << to_string(source.error());
  EXPECT_FALSE(source.error().hint.empty());
}
INSTANTIATE_TEST_SUITE_P(Archives, Refuses, testing::ValuesIn(refused()),
                         [](const auto& row) { return row.param.name; });

TEST(Archives, A15_stops_at_the_entry_after_the_limit) {
  std::string tar = part_of(kMeta);
  for (int i = 0; i < 20'000; ++i) tar += part_of({.path = "f" + std::to_string(i)});
  EXPECT_EQ(read(tar + kEnd).error().code, "archive.too_many_entries");
  EXPECT_TRUE(read(tar + kEnd, {.entries = 20'001}));
}

TEST(Archives, A15_counts_the_bytes_of_all_files) {
  const std::string tar =
      with_meta({{.path = "a", .data = repeated("x", 600)}, {.path = "b", .data = repeated("x", 600)}});
  EXPECT_EQ(read(tar, {.bytes = 1000}).error().code, "archive.too_large");
  EXPECT_TRUE(read(tar, {.bytes = 1208}));
}

TEST(Archives, A15_stops_long_before_a_million_entries_are_read) {
  class Endless final : public ByteSource {
   public:
    std::size_t given = 0;
    Result<std::size_t> read(std::span<char> buffer) override {
      const std::string entry = part_of({.path = "f" + std::to_string(given)});
      given += entry.size();
      return entry.copy(buffer.data(), buffer.size());
    }
  } endless;
  EXPECT_EQ(make_archives()->read_source(endless).error().code, "archive.too_many_entries");
  EXPECT_LT(endless.given, 11U << 20);
}

TEST(Archives, A15_stops_at_a_claim_before_its_bytes_are_read) {
  const std::string half = fmt::format("{:011o}", 100U << 20);
  std::string tar = part_of(kMeta) + block_of({.path = "a", .size = half});
  EXPECT_EQ(read(tar).error().code, "archive.corrupt");  // cut off: taken by its word until then
  const ArchiveLimits limits{.bytes = 600};
  tar = with_meta(
      {{.path = "a", .data = repeated("x", 500)}, {.path = "b", .size = fmt::format("{:011o}", 500)}});
  EXPECT_EQ(read(tar, limits).error().code, "archive.too_large");
}

// --- what is taken ---

std::string names(const Source& source) {
  std::string all;
  for (const auto& entry : source.entries)
    all += entry.path + (entry.kind == SourceEntry::Kind::kFolder ? "/ " : " ");
  return all;
}

TEST(Archives, gives_the_same_bytes_for_the_same_files_however_they_are_packed) {
  const Raw main{.path = "src/main.py", .data = "print()", .mode = 0755};
  const Source plain = must_read(with_meta({main}));
  EXPECT_EQ(names(plain), "service.yaml src/ src/main.py ");
  EXPECT_EQ(plain.meta_name, "service.yaml");
  EXPECT_EQ(plain.meta_text, "name: a\n");
  EXPECT_EQ(plain.digest, sha256_hex(plain.tar));
  EXPECT_TRUE(plain.find("src/main.py")->executable);
  EXPECT_EQ(plain.find("src/other.py"), nullptr);
  EXPECT_EQ(plain.file_paths(), (std::vector<std::string>{"service.yaml", "src/main.py"}));
  const std::vector<std::string> others{
      tar_of({{.path = "src/", .type = '5', .mode = 0700},
              {.path = "./src//main.py", .data = "print()", .mode = 04711},
              kMeta}),
      tar_of({{.path = "top/service.yaml", .data = "name: a\n"},
              {.path = "top/src/main.py", .data = "print()", .mode = 0100}}),
      tar_of({{.path = "main.py", .data = "print()", .mode = 0755, .prefix = "src"}, kMeta}),
      tar_of({pax(record("path", "src/main.py") + record("mtime", "1.5")),
              {.path = "x", .data = "print()", .mode = 0755},
              kMeta}),
      tar_of({{.path = "l", .data = std::string("src/main.py\0", 12), .type = 'L'},
              {.path = "x", .data = "print()", .mode = 0755},
              kMeta}),
      tar_of({{.path = "g", .data = record("comment", "a commit"), .type = 'g'}, kMeta, main}),
      plain.tar,
  };
  for (const auto& other : others) EXPECT_EQ(must_read(other).digest, plain.digest);
  EXPECT_EQ(must_read(others[0]).archive_digest, sha256_hex(others[0]));
}

TEST(Archives, reads_gzip_and_zstd) {
  // `service.yaml` with "name: a\n", packed by GNU tar --sort=name --mtime=@0 --owner=0 --group=0 and gzip
  // -9n, zstd -19.
  const std::string kGzip = std::string(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xcf\x31\x0a\xc2\x40\x10\x05\xd0\xad\x3d\x45\x4e"
      "\x20\x1b\x36\x58\x78\x9b\x45\x52\x08\xc6\xc0\x26\x0a\xde\xde\xd5\x4a\x52\x68\x15\x21\xf0\x5e"
      "\xf3\x87\x99\x81\x61\xa6\xbe\xdc\xcf\xa7\x7e\xff\xc8\xc3\x25\xac\x24\x56\x87\xae\x7b\x67\xb5"
      "\xcc\x18\xdb\x8f\xfa\xd5\x6f\x53\x4a\x31\x34\x31\xfc\xc1\x6d\x9a\x73\xa9\xe7\xcb\x38\xce\xdf"
      "\xf6\x7e\xcd\x97\xcf\x6d\xc4\x35\x0f\xfd\xb1\xc9\xbb\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc0"
      "\xa6\x3c\x01\xbf\x28\xda\xa4\x00\x28\x00\x00",
      126);
  const std::string kZstd = std::string(
      "\x28\xb5\x2f\xfd\x64\x00\x27\x8d\x02\x00\xb2\x43\x0c\x11\xa0\xed\xb0\x99\x99\x79\x67\xa9\x2a"
      "\x1d\x50\x27\xc1\xc0\x72\x58\x0a\x06\x1b\x0c\x5a\xcb\x0c\x5b\x73\xbf\xdd\xc2\x17\xed\x07\x5f"
      "\x55\xc7\x7d\x7f\xfc\x37\x21\xe5\x56\x6b\xa7\x40\x27\x49\x87\x5e\x0b\x20\x20\x35\x32\x0e\xf4"
      "\x05\x7f\x24\x4e\x01\x38\x08\x0c\x38\x30\xfc\xff\x4c\xd8\x4a\x04\x0c\x0a\xb0\x34\xf1\x2f\x6f"
      "\xd5\x38\x48",
      95);
  const Source plain = must_read(with_meta({}));
  EXPECT_EQ(must_read(kGzip).digest, plain.digest);
  EXPECT_EQ(must_read(kZstd).digest, plain.digest);
  EXPECT_EQ(must_read(kZstd).archive_digest, sha256_hex(kZstd));
  EXPECT_EQ(read(kGzip.substr(0, kGzip.size() / 2)).error().code, "archive.corrupt");
}

TEST(Archives, A07_makes_a_hard_link_a_file) {
  const Source source =
      must_read(with_meta({{.path = "a", .data = "x"}, {.path = "b", .type = '1', .target = "./a"}}));
  EXPECT_EQ(make_archives()->read_file(source.tar, "b").value_or(""), "x");
}

TEST(Archives, A09_clears_special_bits_with_a_warning) {
  const Source source = must_read(with_meta({{.path = "a", .mode = 04755}, {.path = "b", .mode = 0}}));
  EXPECT_TRUE(source.find("a")->executable);
  EXPECT_FALSE(source.find("b")->executable);
  ASSERT_EQ(source.warnings.size(), 1U);
  EXPECT_EQ(source.warnings[0].code, "archive.mode");
  EXPECT_EQ(source.warnings[0].where, "a");
}

TEST(Archives, A10_drops_attributes_with_a_warning) {
  const Source source =
      must_read(with_meta({pax(record("SCHILY.xattr.security.capability", "x")), {.path = "a"}}));
  ASSERT_EQ(source.warnings.size(), 1U);
  EXPECT_EQ(source.warnings[0].code, "archive.attributes");
}

TEST(Archives, keeps_links_that_stay_inside) {
  const Source source = must_read(with_meta(
      {{.path = "a/l", .type = '2', .target = "../b/c"}, {.path = "m", .type = '2', .target = "a/l"}}));
  EXPECT_EQ(source.find("a/l")->target, "../b/c");
  EXPECT_EQ(must_read(source.tar).digest, source.digest);
}

TEST(Archives, A22_leaves_out_what_nobody_means_to_ship) {
  const Source source = must_read(with_meta({{.path = ".git/config"},
                                             {.path = ".git/HEAD"},
                                             {.path = ".env"},
                                             {.path = "keys/id_rsa"},
                                             {.path = "keys/ca.pem"},
                                             {.path = "a/__pycache__/x.pyc"},
                                             {.path = "Dockerfile"},
                                             {.path = "main.py"}}));
  EXPECT_EQ(names(source), "Dockerfile main.py service.yaml ");
  std::string said;
  for (const auto& warning : source.warnings) said += warning.code + " " + warning.where + "\n";
  EXPECT_EQ(said,
            "archive.left_out .env\narchive.left_out .git\narchive.left_out keys/ca.pem\narchive.left_out "
            "keys/id_rsa\n");
}

TEST(Archives, A22_applies_dockerignore) {
  const Raw rules{.path = ".dockerignore",
                  .data =
                      "# "
                      "notes\n*.log\n!keep.log\n/docs\n**/tmp\ndata/*/raw?\n!keys/"
                      "ca.pem\nservice.yaml\nDockerfile\n.dockerignore\n"};
  const Source source = must_read(with_meta({rules,
                                             {.path = "a.log"},
                                             {.path = "keep.log"},
                                             {.path = "sub/b.log"},
                                             {.path = "docs/x/y"},
                                             {.path = "sub/tmp/x"},
                                             {.path = "tmp/x"},
                                             {.path = "data/1/raw1"},
                                             {.path = "data/1/raw"},
                                             {.path = "keys/ca.pem"},
                                             {.path = "Dockerfile"},
                                             {.path = "empty/", .type = '5'},
                                             {.path = "tmp/empty/", .type = '5'}}));
  EXPECT_EQ(
      names(source),
      "Dockerfile data/ data/1/ data/1/raw empty/ keep.log keys/ keys/ca.pem service.yaml sub/ sub/b.log ");
  EXPECT_TRUE(source.warnings.empty());
}

TEST(Archives, packs_a_folder_like_the_tar_of_it) {
  const std::filesystem::path root =
      std::filesystem::path(testing::TempDir()) / fmt::format("archives_test_{}", ::getpid());
  std::filesystem::create_directories(root / "sub");
  std::filesystem::create_directories(root / ".git");
  std::filesystem::create_directories(root / "big");
  const auto write = [&](const char* name, std::string_view text) { std::ofstream(root / name) << text; };
  write("service.yaml", "name: a\n");
  write("sub/run.sh", "x");
  write(".git/x", "x");
  write("big/x", "x");
  write(".dockerignore", "big\n");
  std::filesystem::permissions(root / "sub/run.sh", std::filesystem::perms(0755));
  std::filesystem::create_symlink("sub/run.sh", root / "run");
  const auto source = make_archives()->pack_folder(root);
  const auto slashed = make_archives()->pack_folder(root / "");
  std::filesystem::create_symlink("/etc/passwd", root / "out");
  const auto escaping = make_archives()->pack_folder(root);
  std::filesystem::remove_all(root);
  ASSERT_TRUE(source) << to_string(source.error());
  EXPECT_EQ(source->digest, must_read(with_meta({{.path = "sub/run.sh", .data = "x", .mode = 0755},
                                                 {.path = "run", .type = '2', .target = "sub/run.sh"}}))
                                .digest);
  ASSERT_TRUE(slashed);
  EXPECT_EQ(slashed->digest, source->digest);
  ASSERT_EQ(source->warnings.size(), 1U);
  EXPECT_EQ(source->warnings[0].where, ".git");
  EXPECT_EQ(escaping.error().code, "archive.link_escape");
  EXPECT_EQ(make_archives()->pack_folder(root).error().code, "source.not_found");
}

TEST(Archives, makes_a_build_context_with_the_source_below_a_folder) {
  const auto archives = make_archives();
  const Source source = must_read(with_meta({{.path = "sub/run.sh", .data = "x", .mode = 0755}}));
  const std::vector<TarEntry> extra{{.path = "Dockerfile", .bytes = "FROM x\n"},
                                    {.path = ".slipway/ca.pem", .bytes = "CA"}};
  const std::string context = archives->make_context(source, "app", extra).value_or("");
  EXPECT_EQ(archives->read_file(context, "Dockerfile").value_or(""), "FROM x\n");
  EXPECT_EQ(archives->read_file(context, ".slipway/ca.pem").value_or(""), "CA");
  EXPECT_EQ(archives->read_file(context, "app/sub/run.sh").value_or(""), "x");
  EXPECT_EQ(archives->read_file(context, "service.yaml").error().code, "archive.no_such_file");
}

TEST(Archives, a_build_context_holds_what_the_source_holds) {
  const auto archives = make_archives();
  const std::string deep = repeated("folder/", 20) + "file";
  const Source source = must_read(with_meta({{.path = "a", .data = repeated("x", 513)},
                                             {.path = "empty/", .type = '5'},
                                             {.path = "l", .type = '2', .target = "a"},
                                             pax(record("path", deep)),
                                             {.path = "f", .data = "deep", .mode = 0755}}));
  const std::string context = archives->make_context(source, "", {}).value_or("");
  EXPECT_EQ(sha256_hex(context), source.digest);
  const Source again = must_read(archives->make_context(source, "top", {}).value_or(""));
  EXPECT_EQ(again.digest, source.digest);
}

TEST(Archives, makes_small_tars_with_owner_and_mode) {
  const auto archives = make_archives();
  const std::string tar =
      archives
          ->make_tar(std::vector<TarEntry>{
              {.path = "run/slipway/", .uid = 65532, .gid = 65532},
              {.path = "run/slipway/sensors.json", .bytes = "{}", .mode = 0400, .uid = 65532, .gid = 65532}})
          .value_or("");
  EXPECT_EQ(tar.substr(100, 23), std::string("0000755\0"
                                             "0177774\0"
                                             "0177774",
                                             23));
  EXPECT_EQ(tar.substr(512 + 100, 23), std::string("0000400\0"
                                                   "0177774\0"
                                                   "0177774",
                                                   23));
  EXPECT_EQ(archives->read_file(tar, "./run/slipway/sensors.json").value_or(""), "{}");
  EXPECT_EQ(archives->read_file(tar, "run/slipway/sensors.json", 1).error().code, "archive.too_large");
}

class Broken final : public ByteSource {
 public:
  Result<std::size_t> read(std::span<char>) override { return unavailable("repository.down", "no answer"); }
};

TEST(Archives, passes_on_the_error_of_whoever_brings_the_bytes) {
  Broken broken;
  const auto source = make_archives()->read_source(broken);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, "repository.down");
  EXPECT_TRUE(source.error().retryable());
}

}  // namespace
}  // namespace slipway::archive
