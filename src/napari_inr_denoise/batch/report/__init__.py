"""report.json, report.csv and report.html."""
