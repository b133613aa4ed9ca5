"""What services that are taught take: versions of datasets in the formats that they document."""
