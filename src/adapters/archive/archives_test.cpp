#include "adapters/archive/archives.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "adapters/archive/raw_tar.hpp"
#include "base/digest.hpp"

namespace slipway::archive {
namespace {

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
