"""What a run did: records, verdicts, reasons for a stop. No numpy work, no torch."""
