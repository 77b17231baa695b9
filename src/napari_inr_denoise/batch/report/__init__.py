"""Reports of a run: report.json, report.csv and report.html.

`job_report` holds the outcome of one file, `writer` collects the outcomes and calls
`files` (JSON and CSV) and `page` (HTML, from the template `page.html`). `outliers`
finds what stands out, `thumbnails` cuts the pictures, and `causes` turns errors into
sentences.

To add a finding, add a check to `outliers.oddities_of`: the page and the plugin show
it. To add a column, add a cell to `page.html`; values are escaped there.

Example::

    reports = ReportWriter(Path("results"), settings)
    reports.add(0, job_report)
    problem = reports.close()

Modules that import Jinja2 or Pillow are not imported here.
"""

from napari_inr_denoise.batch.report.causes import cause_of as cause_of
from napari_inr_denoise.batch.report.files import write_report as write_report
from napari_inr_denoise.batch.report.outliers import oddities_of as oddities_of
from napari_inr_denoise.batch.report.outliers import residual_ratio as residual_ratio
