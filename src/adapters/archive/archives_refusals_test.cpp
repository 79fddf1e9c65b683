#include "adapters/archive/raw_tar.hpp"

// What is refused: FAULTS, table A.
namespace slipway::archive {
namespace {

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

}  // namespace
}  // namespace slipway::archive
