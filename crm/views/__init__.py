"""The screens: parts (a `.py` with its `.js`), pages, the frame around them. Views speak to the one door and never see a store."""
