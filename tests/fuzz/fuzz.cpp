#include "tests/fuzz/fuzz.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace slipway::fuzz {
namespace {

constexpr std::size_t kLongest = 96 * 1024;
constexpr std::uint64_t kSeed = 20'261'122;

std::uint64_t from_env(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void change(std::string& text, const Target& target, Dice& dice) {
  const std::size_t at = dice.below(text.size() + 1);
  const std::size_t length = dice.below(std::min<std::size_t>(text.size() - at, 64) + 1);
  const auto piece = [&]() -> std::string {
    const std::string& other = target.corpus[dice.below(target.corpus.size())];
    const std::size_t from = dice.below(other.size());
    return other.substr(from, dice.below(200) + 1);
  };
  switch (dice.below(9)) {
    case 0:  // one bit
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << dice.below(8)));
      break;
    case 1:  // one byte
      if (at < text.size()) text[at] = static_cast<char>(dice.next());
      break;
    case 2:
      text.insert(at, 1, static_cast<char>(dice.next()));
      break;
    case 3:
      text.erase(at, length);
      break;
    case 4: {  // over and over
      const std::string again = text.substr(at, length);
      for (std::size_t i = dice.below(dice.below(8) == 0 ? 300 : 3) + 1; i > 0; --i) text.insert(at, again);
      break;
    }
    case 5:
      text.insert(at, target.words[dice.below(target.words.size())]);
      break;
    case 6:
      text.replace(at, length, target.words[dice.below(target.words.size())]);
      break;
    case 7:
      text.insert(at, piece());
      break;
    default:
      if (dice.below(4) == 0)
        text.resize(at);
      else
        text.replace(at, length, piece());
  }
  if (text.size() > kLongest) text.resize(kLongest);
}

std::string input_of(const Target& target, std::uint64_t seed, std::uint64_t round) {
  Dice dice(seed * 1'000'003 + round);
  std::string text = target.corpus[dice.below(target.corpus.size())];
  for (std::size_t changes = 1 + dice.below(6); changes > 0; --changes) change(text, target, dice);
  if (target.mend) target.mend(text, dice);
  return text;
}

// False if the input failed.
bool feed(const Target& target, const std::string& input, const std::string& which) {
  const auto begun = std::chrono::steady_clock::now();
  target.check(input);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  if (!testing::Test::HasFailure()) return true;
  const std::string kept = testing::TempDir() + "fuzz_" + target.name + ".input";
  std::ofstream(kept, std::ios::binary) << input;
  ADD_FAILURE() << target.name << ": " << which << "; the input is in " << kept;
  return false;
}

}  // namespace

std::uint64_t Dice::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::size_t Dice::below(std::size_t below) {
  return below == 0 ? 0 : static_cast<std::size_t>(next() % below);
}

void run(const Target& target) {
  ASSERT_FALSE(target.corpus.empty());
  const std::uint64_t seed = from_env("FUZZ_SEED", kSeed);
  const std::uint64_t only = from_env("FUZZ_ROUND", 0);
  const std::uint64_t rounds = only > 0 ? only : from_env("FUZZ_ROUNDS", target.rounds);
  for (std::size_t i = 0; only == 0 && i < target.corpus.size(); ++i)
    if (!feed(target, target.corpus[i], "number " + std::to_string(i) + " of the corpus")) return;
  const std::string note = testing::TempDir() + "fuzz_" + target.name + ".round";
  std::ofstream last(note);
  for (std::uint64_t round = only > 0 ? only : 1; round <= rounds; ++round) {
    last.seekp(0);
    last << "FUZZ_SEED=" << seed << " FUZZ_ROUND=" << round << "      \n" << std::flush;
    const std::string which = "FUZZ_SEED=" + std::to_string(seed) + " FUZZ_ROUND=" + std::to_string(round);
    if (!feed(target, input_of(target, seed, round), which)) return;
  }
  last.close();
  std::filesystem::remove(note);
}

std::vector<std::string> files_of(const std::string& folder) {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  const auto path = std::filesystem::path(root == nullptr ? "." : root) / folder;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> texts;
  for (const auto& file : files) {
    std::stringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

}  // namespace slipway::fuzz
