#include "sandbox/image/unpack.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/sandbox/image/layout_builder.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::sandbox {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string Read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class UnpackImageTest : public ::testing::Test {
 protected:
  Expected<std::vector<std::string>> Unpack(const std::string& tag = "latest",
                                            const ImageLimits& limits = {}) {
    const auto image = FindImage(layout_.path(), tag);
    if (!image) return std::unexpected(image.error());
    fs::remove_all(root_);
    fs::create_directory(root_);
    return UnpackImage(layout_.path(), *image,
                       UniqueFd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY)),
                       limits);
  }
  // Unpacks an image of these layers; what went wrong, or nothing.
  std::string UnpackLayers(std::vector<std::string> layers,
                           const ImageLimits& limits = {}) {
    const std::string tag = "t" + std::to_string(++images_);
    layout_.Add({.layers = std::move(layers), .tag = tag});
    const auto done = Unpack(tag, limits);
    return done ? "" : done.error().message;
  }
  std::vector<std::string> Names(const std::string& folder = ".") const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_ / folder)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  testing::TemporaryDirectory directory_;
  const fs::path root_ = directory_.path() / "root";
  LayoutBuilder layout_{directory_.path() / "layout"};
  int images_ = 0;
};

TEST_F(UnpackImageTest, LayersLieAboveEachOther) {
  EXPECT_EQ(
      UnpackLayers(
          {TarText()
               .Directory("bin/")
               .File("bin/tool", "old", 04755)
               .File("./kept", "kept")
               .Symlink("link", "/bin/tool")
               .HardLink("bin/same", "bin/tool")
               .Bytes(),
           TarText().File("bin/tool", "new", 0700).File("x/y/z", "").Bytes()}),
      "");
  EXPECT_EQ(Read(root_ / "bin/tool"), "new");
  EXPECT_EQ(Read(root_ / "bin/same"), "old");
  EXPECT_EQ(Read(root_ / "kept"), "kept");
  EXPECT_EQ(fs::read_symlink(root_ / "link"), "/bin/tool");
  EXPECT_TRUE(fs::is_regular_file(root_ / "x/y/z"));
  struct stat info;
  ASSERT_EQ(::stat((root_ / "bin/same").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755u) << "set-id bits are not taken over";
}

TEST_F(UnpackImageTest, WhiteoutsRemoveWhatCameFromBelow) {
  EXPECT_EQ(UnpackLayers({TarText()
                              .File("gone", "")
                              .File("d/gone", "")
                              .File("d/sub/gone", "")
                              .File("o/below", "")
                              .File("both", "below")
                              .Bytes(),
                          TarText()
                              .File(".wh.gone", "")
                              .File("d/.wh.gone", "")
                              .File("d/.wh.sub", "")
                              .File("o/first", "")
                              .File("o/.wh..wh..opq", "")
                              .File("o/second", "")
                              .File("both", "above")
                              .File(".wh.both", "")
                              .Bytes()}),
            "");
  EXPECT_THAT(Names(), UnorderedElementsAre("d", "o", "both"));
  EXPECT_THAT(Names("d"), IsEmpty());
  EXPECT_THAT(Names("o"), UnorderedElementsAre("first", "second"));
  EXPECT_EQ(Read(root_ / "both"), "above");
}

TEST_F(UnpackImageTest, ADirectoryGivesWayToAFileAndBack) {
  EXPECT_EQ(
      UnpackLayers(
          {TarText().File("a/b", "").File("c", "").Bytes(),
           TarText().File("a", "file").Directory("c").File("c/d", "").Bytes()}),
      "");
  EXPECT_EQ(Read(root_ / "a"), "file");
  EXPECT_TRUE(fs::is_regular_file(root_ / "c/d"));
}

TEST_F(UnpackImageTest, EveryCompressionIsRead) {
  for (const auto how :
       {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const std::string tag = std::to_string(static_cast<int>(how));
    layout_.Add({.layers = {TarText().File("f", tag).Bytes()},
                 .tag = tag,
                 .environment = {"A=1", "B=2"},
                 .compression = how});
    const auto environment = Unpack(tag);
    ASSERT_TRUE(environment) << environment.error();
    EXPECT_THAT(*environment, ElementsAre("A=1", "B=2"));
    EXPECT_EQ(Read(root_ / "f"), tag);
  }
}

TEST_F(UnpackImageTest, OfSeveralPlatformsTheOneOfThisMachineIsTaken) {
  const LayoutBuilder::Image image = {
      .layers = {TarText().File("f", "").Bytes()}};
  layout_.AddForPlatform(image, "amd64");
  EXPECT_TRUE(Unpack());
  LayoutBuilder other(directory_.path() / "other");
  other.AddForPlatform(image, "s390x");
  const auto found = FindImage(other.path(), "");
  ASSERT_TRUE(found);
  const auto done = UnpackImage(other.path(), *found,
                                UniqueFd(::open(root_.c_str(), O_RDONLY)), {});
  EXPECT_THAT(done.error().message, HasSubstr("linux/amd64"));
}

TEST_F(UnpackImageTest, NothingIsWrittenOutside) {
  const fs::path outside = directory_.path() / "outside";
  fs::create_directory(outside);
  std::ofstream(outside / "canary") << "untouched";
  const std::string up = "../outside/f";
  const std::string absolute = (outside / "f").string();
  const std::vector<std::vector<std::string>> attacks = {
      {TarText().File(up, "x").Bytes()},
      {TarText().File("a/../../outside/f", "x").Bytes()},
      {TarText().File(absolute, "x").Bytes()},
      {TarText().Symlink("out", outside).File("out/f", "x").Bytes()},
      {TarText().Symlink("out", "../outside").File("out/f", "x").Bytes()},
      {TarText().Symlink("out", "../outside").Bytes(),
       TarText().File("out/f", "x").Bytes()},
      {TarText()
           .Symlink("a", "..")
           .Symlink("b", "a/outside")
           .File("b/f", "x")
           .Bytes()},
      {TarText().Symlink("out", outside).Directory("out/f").Bytes()},
      {TarText().Symlink("out", outside).Symlink("out/f", "x").Bytes()},
      {TarText().Symlink("out", outside).File("out/.wh.canary", "").Bytes()},
      {TarText().Symlink("out", outside).File("out/.wh..wh..opq", "").Bytes()},
      {TarText().HardLink("f", "../outside/canary").Bytes()},
      {TarText().HardLink("f", (outside / "canary").string()).Bytes()},
      {TarText().Symlink("out", outside).HardLink("f", "out/canary").Bytes()},
      {TarText().File(".wh...", "").Bytes()},
      {TarText().File("a/.wh..", "").Bytes()},
  };
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    EXPECT_NE(UnpackLayers(attacks[i]), "") << "attack " << i;
    EXPECT_FALSE(fs::exists(outside / "f")) << "attack " << i;
    EXPECT_EQ(Read(outside / "canary"), "untouched") << "attack " << i;
  }
}

TEST_F(UnpackImageTest, ALinkIsReplacedAndNotWrittenThrough) {
  const fs::path outside = directory_.path() / "outside";
  std::ofstream(outside) << "untouched";
  EXPECT_EQ(
      UnpackLayers({TarText().Symlink("f", outside).File("f", "x").Bytes()}),
      "");
  EXPECT_EQ(Read(outside), "untouched");
  EXPECT_EQ(Read(root_ / "f"), "x");
}

TEST_F(UnpackImageTest, FilesReachedThroughALinkInsideArePutThere) {
  EXPECT_EQ(UnpackLayers({TarText()
                              .Directory("usr/lib")
                              .Symlink("lib", "usr/lib")
                              .File("lib/f", "x")
                              .Bytes()}),
            "");
  EXPECT_EQ(Read(root_ / "usr/lib/f"), "x");
}

TEST_F(UnpackImageTest, OnlyFilesDirectoriesAndLinksAreTaken) {
  for (const char type : {'3', '4', '6'}) {
    EXPECT_THAT(UnpackLayers({TarText().Add("dev/x", type, 0666).Bytes()}),
                HasSubstr("'dev/x' is a device, FIFO or socket"));
    EXPECT_FALSE(fs::exists(root_ / "dev/x"));
  }
}

TEST_F(UnpackImageTest, SizesAndNumbersAreBounded) {
  const std::string tar =
      TarText().File("a", std::string(3000, 'x')).File("b", "").Bytes();
  EXPECT_EQ(UnpackLayers({tar}, {.bytes = 3000, .entries = 2}), "");
  EXPECT_THAT(UnpackLayers({tar}, {.bytes = 2999}),
              HasSubstr("more than 2999 bytes"));
  EXPECT_THAT(UnpackLayers({tar, tar}, {.bytes = 5000}),
              HasSubstr("more than 5000 bytes"));
  EXPECT_THAT(UnpackLayers({tar}, {.entries = 1}),
              HasSubstr("more than 1 entries"));
}

TEST_F(UnpackImageTest, ABombIsStoppedAtTheLimit) {
  layout_.Add(
      {.layers = {TarText().File("f", std::string(64 << 20, '\0')).Bytes()},
       .compression = Compression::kGzip});
  const auto done = Unpack("latest", {.bytes = 1 << 20});
  ASSERT_FALSE(done);
  EXPECT_LE(fs::file_size(root_ / "f"), std::uintmax_t{1} << 20);
}

TEST_F(UnpackImageTest, DamageIsNoticedInEveryBlob) {
  const std::string manifest =
      layout_.Add({.layers = {TarText().File("f", "content").Bytes()}});
  int blobs = 0;
  for (const auto& entry :
       fs::directory_iterator(layout_.path() / "blobs/sha256")) {
    const std::string good = Read(entry.path());
    std::string bad = good;
    // In the middle of a file's content, or of a JSON text.
    bad[bad.size() / 3] ^= 1;
    std::ofstream(entry.path(), std::ios::binary) << bad;
    EXPECT_EQ(Unpack().error().code, Code::kDataLoss) << entry.path();
    std::ofstream(entry.path(), std::ios::binary) << good + "x";
    EXPECT_THAT(Unpack().error().message, HasSubstr("bytes, expected"));
    fs::remove(entry.path());
    EXPECT_THAT(Unpack().error().message, HasSubstr("lacks the blob"));
    std::ofstream(entry.path(), std::ios::binary) << good;
    EXPECT_TRUE(Unpack());
    ++blobs;
  }
  EXPECT_EQ(blobs, 3);
}

TEST_F(UnpackImageTest, LayersThatAreNoArchivesAreRefused) {
  EXPECT_THAT(UnpackLayers({"this is no tar archive at all"}),
              HasSubstr("no tar archive"));
  const std::string tar = TarText().File("f", std::string(5000, 'x')).Bytes();
  EXPECT_THAT(UnpackLayers({tar.substr(0, 3000)}), HasSubstr("damaged at 'f'"));
}

class FindImageTest : public ::testing::Test {
 protected:
  std::string Problem(const std::string& tag = "") {
    const auto found = FindImage(path_, tag);
    return found ? "" : found.error().message;
  }
  testing::TemporaryDirectory directory_;
  const fs::path path_ = directory_.path() / "layout";
};

TEST_F(FindImageTest, NamesAreSplitAtTheTag) {
  EXPECT_EQ(ParseImageName("a/b:c").layout, "a/b");
  EXPECT_EQ(ParseImageName("a/b:c").tag, "c");
  EXPECT_EQ(ParseImageName("a:b/c").layout, "a:b/c");
  EXPECT_EQ(ParseImageName("a:b/c").tag, "");
}

TEST_F(FindImageTest, SaysWhatALayoutLacks) {
  fs::create_directory(path_);
  EXPECT_THAT(Problem(), HasSubstr("it has no oci-layout"));
  std::ofstream(path_ / "oci-layout") << R"({"imageLayoutVersion":"1.0.0"})";
  EXPECT_THAT(Problem(), HasSubstr("it has no index.json"));
  std::ofstream(path_ / "index.json") << "[";
  EXPECT_THAT(Problem(), HasSubstr("is no JSON object"));
  std::ofstream(path_ / "index.json") << "{}";
  EXPECT_THAT(Problem(), HasSubstr("lists no image"));
  std::ofstream(path_ / "index.json")
      << R"({"manifests":[{"digest":"sha256:../../x","size":1}]})";
  EXPECT_THAT(Problem(), HasSubstr("expected sha256: and 64 hex digits"));
  std::ofstream(path_ / "index.json")
      << R"({"manifests":[{"digest":"sha256:)" << std::string(64, 'a')
      << R"(","size":-1}]})";
  EXPECT_THAT(Problem(), HasSubstr("no size"));
  std::ofstream(path_ / "index.json") << std::string(1000, '[');
  EXPECT_THAT(Problem(), HasSubstr("is no JSON object"));
  std::ofstream(path_ / "oci-layout") << R"({"imageLayoutVersion":"2.0.0"})";
  EXPECT_THAT(Problem(), HasSubstr("expected 1.x"));
}

TEST_F(FindImageTest, ListsTheTagsThatThereAre) {
  LayoutBuilder layout(path_);
  layout.Add({.layers = {TarText().Bytes()}, .tag = "one"});
  EXPECT_EQ(Problem(), "");
  EXPECT_EQ(Problem("one"), "");
  layout.Add({.layers = {TarText().File("f", "").Bytes()}, .tag = "two"});
  EXPECT_THAT(Problem("three"), HasSubstr("it has: one, two"));
  EXPECT_THAT(Problem(), HasSubstr("name one as LAYOUT:TAG, of: one, two"));
}

}  // namespace
}  // namespace assay::sandbox
