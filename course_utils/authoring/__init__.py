"""Everything that makes or checks notebooks; nothing but the command line imports it.

Open `commands` for the commands of `python -m course_utils`, `notebooks` to run and store one,
`variants` for the copies without solutions and with them, `speaker_notes` for the lecturer's copy,
`plan` for its minutes, `plan_page` to print it, `slides` and `slides_pages` for the slides,
`verified_table` for the table of last runs, `claims_table` for that of the claims, `site` and
`site_pages` for the web page, `demos`, `demo_models` and `network_files` for its live demos,
`reference` for the pages of the API reference, and `fork` for the address of the project.
"""
