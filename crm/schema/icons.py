"""The icons a configuration may name: those of Material Icons that are shipped as a small font, so that none is fetched."""

ICONS = frozenset(
    """
    account_balance account_circle add add_circle alarm analytics apartment approval archive arrow_back arrow_downward
    arrow_drop_down arrow_forward arrow_upward article assessment assignment assignment_ind assignment_turned_in attach_file
    attach_money attachment autorenew badge balance bar_chart bolt bookmark build business business_center cake calculate
    calendar_month calendar_today call call_end campaign cancel category chat check check_box check_circle chevron_left
    chevron_right child_care church close cloud code comment compare computer construction contact_mail contact_page
    contact_phone contacts content_copy credit_card currency_exchange dark_mode dashboard data_object date_range delete
    description directions_car directions_walk domain domain_add done done_all donut_large download drafts drag_indicator
    eco edit edit_note electric_bolt email emoji_events engineering error euro event event_available event_busy explore
    extension face family_restroom favorite fax feedback filter_alt filter_list flag flight folder folder_open forest forum
    gavel grade group group_add groups handshake health_and_safety healing help history home home_work hourglass_empty
    how_to_reg hub image inbox info insert_drive_file insights inventory inventory_2 key label language leaderboard lightbulb
    light_mode link link_off list list_alt local_atm local_hospital local_offer local_shipping location_city location_on lock
    logout loyalty mail manage_accounts map mark_email_read medical_information medical_services medication meeting_room menu
    menu_book military_tech monetization_on money money_off more_horiz more_vert movie music_note notes notifications
    open_in_new palette park paid payments pending people percent person person_add person_search pets phone
    phone_callback phone_in_talk phone_missed photo picture_as_pdf pie_chart place play_arrow point_of_sale policy post_add
    price_change price_check priority_high print psychology public push_pin query_stats question_answer quiz radar rate_review
    real_estate_agent receipt receipt_long recommend redeem refresh reply report request_quote restaurant restore rocket_launch
    route rule save savings scale schedule schedule_send school science search sell send sentiment_dissatisfied
    sentiment_satisfied settings share shield shopping_bag shopping_cart show_chart smartphone sms speed sports star star_border
    stars store storefront summarize support support_agent swap_horiz sync table_chart table_view tag task task_alt
    thumb_down thumb_up timeline timer today topic track_changes translate trending_down trending_flat trending_up tune undo
    update upload verified verified_user video_call view_kanban view_list visibility visibility_off volunteer_activism
    wallet warehouse warning water_drop web work workspace_premium
    """.split()
)
