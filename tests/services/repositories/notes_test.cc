#include "services/repositories/notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/repositories/git_fixture.h"

namespace assay::repositories {
namespace {

using testing::ElementsAre;
using testing::Field;

class NotesTest : public GitFixture {
 protected:
  Expected<std::vector<Note>> Read(const std::string& commit,
                                   const NoteLimits& limits = {}) {
    return ReadNotes(OpenBare(path_)->get(), base_, commit, limits);
  }

  const std::string base_ = MakeTemplate();
  const std::filesystem::path path_ = MakeRepository(base_);
};

TEST_F(NotesTest, DecisionsComeFirstAndTheTemplatesFilesAreTold) {
  Push(path_, "docs/Notes.txt", "later\n", "Notes");
  Push(path_, "src/README.md", "of the code\n", "Deeper");
  const auto notes = Read(Push(path_, "DECISIONS.md", "\xff why\n", "Why"));
  ASSERT_TRUE(notes) << notes.error();
  EXPECT_THAT(*notes, ElementsAre(Field(&Note::path, "DECISIONS.md"),
                                  Field(&Note::path, "docs/Notes.txt"),
                                  Field(&Note::path, "README.md")));
  EXPECT_EQ(notes->at(0).content, "\xff why\n");
  EXPECT_FALSE(notes->at(0).of_template);
  EXPECT_TRUE(notes->at(2).of_template);
  EXPECT_FALSE(
      Read(Push(path_, "README.md", "Mine now.\n", "Mine"))->at(2).of_template);
}

TEST_F(NotesTest, ALongNoteIsCutAtALineAndAHugeOneIsNotRead) {
  const std::string commit =
      Push(path_, "DECISIONS.md", "one\ntwo\nthree\n", "Why");
  const auto cut = Read(commit, {.max_bytes = 10});
  EXPECT_EQ(cut->at(0).content, "one\ntwo\n");
  EXPECT_TRUE(cut->at(0).truncated);
  const auto huge = Read(commit, {.max_bytes = 10, .max_blob_bytes = 12});
  EXPECT_EQ(huge->at(0).content, "");
  EXPECT_TRUE(huge->at(0).truncated);
  EXPECT_EQ(Read(commit, {.max_notes = 1})->size(), 1);
}

TEST_F(NotesTest, ALinkIsNoNote) {
  Push(path_, "a", "1\n", "A");
  std::filesystem::create_symlink("/etc/passwd", root_ / "work/DECISIONS.md");
  Git("-C work add -A");
  Git("-C work commit -qm link");
  Git("-C work push -q origin HEAD:main");
  const auto notes = Read(Git("-C work rev-parse HEAD"));
  EXPECT_THAT(*notes, ElementsAre(Field(&Note::path, "README.md")));
}

TEST_F(NotesTest, AnUnknownCommitIsSaid) {
  EXPECT_EQ(Read(std::string(40, '0')).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace assay::repositories
