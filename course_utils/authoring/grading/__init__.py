"""Marking a folder of submissions: `python -m course_utils grade FOLDER --out results.csv`.

An answer is never believed, only computed with. It runs in a process that has no checks, no
solutions, no network and nothing to write on (`answering`, `confining`), receives arguments and
gives back numbers (`encoding`); the check runs here, beside the reference (`comparing`).

- `handed_in`: files, students and the roster; `handed_out`: the lessons and their exercises.
- `finding`: the exercises of a submission, and the code that each of them needs.
- `rooms`: starts the answering processes and asks them; `comparing`: the verdicts.
- `marking`: one submission; `grade`: a folder of them, in several processes, resumable.
- `reporting`, `duplicates`: what comes out; `handin`: a student's side.
"""
